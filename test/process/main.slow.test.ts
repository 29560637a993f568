import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { requestJson, serviceAddress, startProcess, untilServedJob } from '../support/start-process.ts';
import { hasEnded, interruptible, isUnderway, temporaryDirectory } from '../support/start-service.ts';

test('SIGTERM ends the process with code 0 and requeues the running job', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const first = startProcess(t, stateDir);
  let base = await serviceAddress(first);
  const { id } = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, interruptible);
  await untilServedJob(base, id, isUnderway);
  first.child.kill('SIGTERM');
  assert.deepEqual(await first.exited, [0, null], first.output());
  assert.match(first.output(), /"from":"running","to":"queued"/);

  base = await serviceAddress(startProcess(t, stateDir));
  const job = await untilServedJob(base, id, hasEnded);
  assert.deepEqual([job.status, job.attempts], ['succeeded', 1]);
});

test('SIGTERM ends the process within the grace period, even if its output is not read', async (t) => {
  const environment = { SHUTDOWN_GRACE_SECONDS: '5' };
  const { child, ...service } = startProcess(t, await temporaryDirectory(t), environment);
  const base = await serviceAddress({ child, ...service });
  child.stdout!.pause();
  // Each request logs a line of 8 kB; together they exceed the buffer of any pipe.
  const url = `${base}/v1/nothing?${'x'.repeat(8000)}`;
  for (let sent = 0; sent < 200; sent++) assert.equal((await fetch(url)).status, 404);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  child.stdout!.resume();
});

test('a signal received twice, from terminal and parent, causes one graceful shutdown', async (t) => {
  const service = startProcess(t, await temporaryDirectory(t));
  await serviceAddress(service);
  service.child.kill('SIGINT');
  service.child.kill('SIGINT');
  service.child.kill('SIGTERM');
  assert.deepEqual(await service.exited, [0, null], service.output());
  assert.match(service.output(), /"msg":"stopped"\}$/);
});

test('when ready, the process logs JSON lines, the last with its address and a curl command', async (t) => {
  const service = startProcess(t, await temporaryDirectory(t));
  const base = await serviceAddress(service);
  const said = service
    .output()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.ok(said.at(-1).msg.includes(`Try: curl -s ${base}/v1/training-jobs`));
});

test('stored files are private to the user, and an existing directory keeps its mode', async (t) => {
  const parent = await temporaryDirectory(t);
  const [made, given] = [join(parent, 'a', 'made'), join(parent, 'given')];
  await mkdir(given);
  await chmod(given, 0o755);
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  for (const [stateDir, mode] of [
    [made, '700'],
    [given, '755'],
  ] as const) {
    await serviceAddress(startProcess(t, stateDir, {}, ['sh', '-c', 'umask 022; exec "$@"', 'sh']));
    assert.equal(await modeOf(stateDir), mode);
    const entries = await readdir(stateDir, { recursive: true, withFileTypes: true });
    assert.ok(entries.some((entry) => entry.name === 'atelier.sqlite'));
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      assert.equal(await modeOf(path), entry.isDirectory() ? '700' : '600', path);
    }
  }
});

test('a second process on one state directory exits with code 1 and the reason', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const base = await serviceAddress(startProcess(t, stateDir));
  const second = startProcess(t, stateDir);
  assert.deepEqual(await second.exited, [1, null]);
  assert.match(second.output(), /^Atelier does not start: .*in use by another Atelier process.*STATE_DIR/);
  assert.deepEqual(await requestJson(`${base}/health/live`), { live: true });
});

test('a configuration error is logged as one sentence, without a stack', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(async () => void taken.close());
  const { port } = taken.address() as { port: number };
  const cases: [environment: Record<string, string>, said: RegExp][] = [
    [{ PORT: 'http' }, /^Atelier does not start: .*PORT must be an integer .*"http"/],
    [
      { DATABASE_URL: 'mysql://db/atelier' },
      /^Atelier does not start: .*DATABASE_URL must be a URL such as postgresql:/,
    ],
    [
      { DATABASE_URL: 'postgres://user:secret@127.0.0.1:1/atelier' },
      /^Atelier does not start: (?!.*secret).*ECONNREFUSED.*DATABASE_URL/,
    ],
    [{ DATA_DIR: stateDir }, /^Atelier does not start: .*fashion_mnist_train_images\.npy.*npx atelier data/],
    [
      { PORT: String(port) },
      new RegExp(`^Atelier does not start: .*HOST=127.0.0.1 PORT=${port}.*EADDRINUSE`),
    ],
  ];
  for (const [environment, said] of cases) {
    const service = startProcess(t, stateDir, environment);
    assert.deepEqual(await service.exited, [1, null]);
    assert.match(service.output(), said);
    assert.doesNotMatch(service.output(), /\n\s+at /);
  }
});
