/** The packed file, installed into an empty folder without a network and with no checkout in reach. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { writePackage } from '../../../scripts/package/archive.ts';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { requestJson, serviceAddress, startCommand, untilServedJob } from '../../support/start-process.ts';
import { addCleanup, temporaryDirectory } from '../../support/start-service.ts';

const ROOT = join(import.meta.dirname, '../../..');
const MODULES = join(ROOT, 'node_modules');
const run = promisify(execFile);

/** Puts the dependencies of production into a folder, because npm finds them there without asking a registry. */
async function linkDependencies(folder: string): Promise<void> {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  const wanted = Object.keys(packages).filter(
    (path) => path.lastIndexOf('node_modules/') === 0 && !packages[path]!.dev,
  );
  for (const path of wanted) {
    const target = join(folder, path);
    if (!(await stat(join(ROOT, path)).catch(() => null))) continue; // of another platform
    await mkdir(dirname(target), { recursive: true });
    // Hard links take no space, but are impossible between file systems.
    await run('cp', ['-rl', join(ROOT, path), target]).catch(() =>
      run('cp', ['-r', join(ROOT, path), target]),
    );
  }
  await mkdir(join(folder, 'node_modules/.bin'));
  for (const name of await readdir(join(MODULES, '.bin'))) {
    const command = await readlink(join(MODULES, '.bin', name));
    if (wanted.some((path) => command.startsWith(`../${path.slice('node_modules/'.length)}/`))) {
      await symlink(command, join(folder, 'node_modules/.bin', name));
    }
  }
}

test('the packed file is small, and starts a service that trains, predicts and is backed up', async (t) => {
  const folder = await temporaryDirectory(t);
  const file = await writePackage(folder);
  assert.ok((await stat(file)).size <= 3 * 2 ** 20);
  await linkDependencies(folder);
  const home = join(folder, 'home');
  const env = { PATH: process.env['PATH']!, HOME: home, npm_config_cache: join(home, 'npm') };
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', file], { cwd: folder, env });
  const contents = await readdir(join(folder, 'node_modules/atelier'), { recursive: true });
  assert.deepEqual(contents.filter((name) => !name.includes('/')).toSorted(), [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'cli',
    'examples',
    'openapi',
    'package.json',
    'scripts',
    'src',
  ]);
  assert.deepEqual(
    contents.filter((name) => name.endsWith('.ts')),
    [],
  );

  // Where `serve` would otherwise download the data set to.
  const cache = join(home, '.cache/atelier/fashion-mnist');
  await mkdir(cache, { recursive: true });
  for (const name of (await readdir(DATA_DIR)).filter((each) => each.endsWith('.npy'))) {
    const [from, to] = [join(DATA_DIR, name), join(cache, name)];
    await link(from, to).catch(() => copyFile(from, to));
  }
  const command = ['npx', 'atelier', 'serve', '--port', '0'];
  const service = startCommand(t, command, { cwd: folder, env, detached: true });
  // After a failure; npx would leave the service behind.
  addCleanup(t, async () => {
    if (service.child.exitCode === null && service.child.signalCode === null)
      process.kill(-service.child.pid!, 'SIGKILL');
  });
  const base = await serviceAddress(service);
  const { data: jobs } = await requestJson<{ data: TrainingJob[] }>(`${base}/v1/training-jobs`);
  await untilServedJob(base, jobs[0]!.id, ({ status }) => status === 'succeeded');

  const image = await fetch(`${base}/v1/datasets/fashion-mnist/splits/test/images/0`);
  await writeFile(join(folder, 'boot.png'), await image.bytes());
  const atelier = (...args: string[]) =>
    run(join(folder, 'node_modules/.bin/atelier'), args, { cwd: folder, env: { ...env, ATELIER_URL: base } });
  assert.match((await atelier('predict', 'boot.png')).stdout, /^boot\.png: Ankle boot 0\.8/);
  assert.match(
    (await atelier('backup', 'copy')).stdout,
    /^Copied the database and [1-9]\d* files to copy\.\n$/,
  );
  assert.ok((await readdir(folder)).includes('atelier-state'));

  // npm passes the signal to a shell only, and the output ends with the service.
  service.child.kill('SIGTERM');
  await service.exited;
  assert.match(service.output(), /"msg":"stopped"/);
});
