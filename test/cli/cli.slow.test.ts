/** The command line client as a process: restarts of the service, Ctrl-C, and npx. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { copyFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { requestJson, serviceAddress, startProcess, untilServedJob } from '../support/start-process.ts';
import {
  addCleanup,
  endless,
  hasEnded,
  interruptible,
  temporaryDirectory,
} from '../support/start-service.ts';

const ROOT = join(import.meta.dirname, '../..');
const LAUNCHER = join(ROOT, 'cli/atelier');
const run = promisify(execFile);

interface Client {
  readonly child: ChildProcess;
  /** Resolves with the next line that matches; lines before it are passed over. */
  line(pattern: RegExp): Promise<string>;
  /** All lines of stdout, and stderr, when the process has ended. */
  readonly ended: Promise<{ code: number | null; lines: string[]; stderr: string }>;
}

function start(t: TestContext, url: string, ...args: string[]): Client {
  const child = spawn(LAUNCHER, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ATELIER_URL: url },
  });
  const lines: string[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const output = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const ended = once(child, 'close').then(([code]) => ({ code, lines, stderr }));
  addCleanup(t, async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  async function line(pattern: RegExp): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const check = (text: string) => pattern.test(text) && resolve(text);
    output.on('line', check);
    for (const text of lines) check(text);
    void ended.then(() => reject(new Error(`The client ended: ${stderr}`)));
    return promise.finally(() => output.off('line', check));
  }
  return { child, line, ended };
}

async function writeRecipe(t: TestContext, body: object): Promise<string> {
  const path = join(await temporaryDirectory(t), 'recipe.json');
  await writeFile(path, JSON.stringify(body));
  return path;
}

test('train --follow shows every epoch once, although the service is killed and restarted', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const first = startProcess(t, stateDir);
  const base = await serviceAddress(first);
  const client = start(t, base, 'train', await writeRecipe(t, interruptible), '--follow');
  await client.line(/^epoch 2:/);
  first.child.kill('SIGKILL');
  await first.exited;
  await client.line(/^connection lost, reconnecting$/);
  await serviceAddress(startProcess(t, stateDir, { PORT: new URL(base).port }));
  const { code, lines, stderr } = await client.ended;
  assert.equal(code, 0, stderr);
  assert.match(lines.at(-2)!, /^Published interrupted@1, test accuracy 0\.\d{4}\. Best epoch: /);
  const epochs = lines.flatMap((line) => /^epoch (\d+):/.exec(line)?.[1] ?? []);
  assert.deepEqual(
    epochs,
    Array.from({ length: 16 }, (_, index) => String(index + 1)),
  );
});

test('Ctrl-C leaves the job running, and the command that it names cancels it', async (t) => {
  const base = await serviceAddress(startProcess(t, await temporaryDirectory(t)));
  const client = start(t, base, 'train', await writeRecipe(t, endless), '--follow');
  const id = await client.line(/^job_/);
  await client.line(/^epoch 1:/);
  client.child.kill('SIGINT');
  const { code, stderr } = await client.ended;
  assert.equal(code, 130);
  assert.equal(stderr, `The job continues. Cancel it with: npx atelier cancel ${id}\n`);
  assert.equal((await requestJson<TrainingJob>(`${base}/v1/training-jobs/${id}`)).status, 'running');

  const follower = start(t, base, 'job', id, '--follow');
  await follower.line(/^epoch 1:/);
  assert.equal((await start(t, base, 'cancel', id).ended).code, 0);
  assert.equal((await untilServedJob(base, id, hasEnded)).status, 'cancelled');
  const followed = await follower.ended;
  assert.deepEqual([followed.code, followed.stderr], [1, 'The job was cancelled.\n']);
});

test('npx starts the client in the checkout, and without Node 24 the client names what is missing', async (t) => {
  const folder = await temporaryDirectory(t);
  // Without the settings of the npm that runs the tests.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'));
  const npm = { npm_config_cache: folder, npm_config_offline: 'true' };
  const cache = { NODE_COMPILE_CACHE: '', XDG_CACHE_HOME: join(folder, 'caches') };
  const env = { ...Object.fromEntries(inherited), ...npm, ...cache };
  const { stdout } = await run('npx', ['atelier', 'train', '--help'], { cwd: ROOT, env });
  assert.match(stdout, /^Start a training job\./);
  assert.equal((await readdir(join(folder, 'caches/atelier/compiled'))).length, 1);

  const copy = join(folder, 'atelier');
  await copyFile(LAUNCHER, copy);
  await writeFile(join(folder, 'node'), '#!/bin/sh\necho undefined\n', { mode: 0o755 });
  const old = run('/bin/sh', [copy, 'models'], { env: { PATH: `${folder}:/usr/bin:/bin` } });
  await assert.rejects(old, { code: 2, stderr: /needs Node 24\. Run "npm ci"/ });
});

test('ends with code 1 if its output cannot be written', async () => {
  const full = openSync('/dev/full', 'w');
  const child = spawn(LAUNCHER, ['--help'], { stdio: ['ignore', full, 'ignore'] });
  closeSync(full);
  assert.deepEqual(await once(child, 'exit'), [1, null]);
});
