/** `atelier serve` and the other programs of the command line, as processes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { watch } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { DATA_DIR } from '../../support/data-directory.ts';
import { INHERITED, serviceAddress, startCommand } from '../../support/start-process.ts';
import { temporaryDirectory } from '../../support/start-service.ts';

const ATELIER = join(import.meta.dirname, '../../../cli/atelier');
const run = promisify(execFile);

function environment(folder: string): Record<string, string> {
  const settings = { DATA_DIR, STARTER_JOB: 'off', WIDE_VECTORS: 'off' };
  return { ...INHERITED, PATH: process.env['PATH']!, HOME: folder, ...settings };
}

test('serve becomes the service: options before variables, and signals arrive', async (t) => {
  const folder = await temporaryDirectory(t);
  const env = { ...environment(folder), PORT: '1', STATE_DIR: 'unused' };
  const service = startCommand(t, [ATELIER, 'serve', '--port', '0', '--state', 'mine'], { cwd: folder, env });
  await serviceAddress(service);
  assert.match(service.output(), /^Data set: the four \.npy files in .* are there\.$/m);
  assert.match(
    await readFile(`/proc/${service.child.pid}/cmdline`, 'utf8'),
    /--max-semi-space-size=8\0--v8-pool-size=0/,
  );
  assert.match(
    (await run(ATELIER, ['backup', 'copy'], { cwd: folder, env: { ...env, STATE_DIR: 'mine' } })).stdout,
    /^Copied/,
  );
  service.child.kill('SIGTERM');
  assert.deepEqual(await service.exited, [0, null]);
  assert.match(service.output(), /"msg":"stopped"/);
  const restored = { ...env, STATE_DIR: 'restored' };
  assert.match((await run(ATELIER, ['restore', 'copy'], { cwd: folder, env: restored })).stdout, /^Restored/);
});

test('serve --open opens the page once the service responds', async (t) => {
  const folder = await temporaryDirectory(t);
  const opened = join(folder, 'opened');
  await mkdir(join(folder, 'bin'));
  const browser = `#!/bin/sh\necho "$1" >${opened}.part && mv ${opened}.part ${opened}\n`;
  await writeFile(join(folder, 'bin/xdg-open'), browser, { mode: 0o755 });
  // A loopback address of this process, and no port that the system gives out: nothing else listens there.
  const host = `127.${process.pid >> 16}.${(process.pid >> 8) & 255}.${process.pid & 255}`;
  const path = join(folder, 'bin') + delimiter + process.env['PATH'];
  const env = { ...environment(folder), PATH: path, HOST: host };
  const changes = watch(folder);
  t.after(() => changes.close());
  const isOpened = new Promise<void>((resolve) => {
    changes.on('change', (_, name) => name === 'opened' && resolve());
  });
  const service = startCommand(t, [ATELIER, 'serve', '--port', '13000', '--open'], { cwd: folder, env });
  await serviceAddress(service);
  await isOpened;
  assert.equal(await readFile(opened, 'utf8'), `http://${host}:13000/\n`);
});

test('wrong options and a data set that cannot be written are reported, and no service starts', async (t) => {
  const folder = await temporaryDirectory(t);
  const env = environment(folder);
  for (const [args, message] of [
    [['--prot', '1'], /^Unknown option --prot\. Did you mean --port\?/],
    [['--open', '--port', '0'], /^With --open, the port must not be 0\./],
    [['elsewhere'], /^Expected no arguments, but got 1 arguments\./],
  ] as const) {
    await assert.rejects(run(ATELIER, ['serve', ...args], { cwd: folder, env }), {
      code: 2,
      stderr: message,
    });
  }
  await writeFile(join(folder, 'file'), '');
  const unreadable = { ...env, DATA_DIR: join(folder, 'file') };
  await assert.rejects(run(ATELIER, ['serve'], { cwd: folder, env: unreadable }), {
    code: 1,
    stderr: /cannot be read/,
  });
});

test('every program has a help, and runs nothing for it', async (t) => {
  const folder = await temporaryDirectory(t);
  for (const name of ['serve', 'data', 'key', 'backup', 'restore', 'migrate', 'migrate-state']) {
    const { stdout } = await run(ATELIER, [name, '--help'], { cwd: folder, env: environment(folder) });
    assert.match(stdout, new RegExp(`Usage:\\s+npx atelier ${name}\\b`));
  }
});
