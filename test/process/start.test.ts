import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { readConfig } from '../../src/config/read.ts';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { openService } from '../../src/process/start.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { newJob, publish } from '../store/fixtures.ts';
import { assertProblem, startService, temporaryDirectory, tiny, train } from '../support/start-service.ts';

test('a start continues interrupted jobs, and a stopping service accepts nothing more', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const store = await openStore(stateDir);
  await publish(store, 'shoes');
  const id = await newJob(store, 'running', 'interrupted');
  await newJob(store, 'cancelling', 'cancelled');
  await store.close();

  const { app, close } = await startService(t, {
    STATE_DIR: stateDir,
    STARTER_JOB: 'on',
    TRAINING_WORKERS: '1',
  });
  const jobs = (await app.inject('/v1/training-jobs')).json().data as TrainingJob[];
  assert.equal(jobs.length, 3, 'a store with jobs needs no starter job');
  assert.equal(jobs.find(({ modelName }) => modelName === 'cancelled')?.status, 'cancelled');
  const events = (await app.inject(`/v1/training-jobs/${id}/events`)).json().data as { data: object }[];
  assert.ok(events.some(({ data }) => JSON.stringify(data) === '{"from":"running","to":"queued"}'));

  const closed = close();
  const [refused, ready, live] = await Promise.all(
    ['/v1/models', '/health/ready', '/health/live'].map((url) => app.inject(url)),
  );
  assertProblem(refused!, 503, 'draining');
  assert.deepEqual([ready!.statusCode, ready!.json().checks.accepting, live!.statusCode], [503, false, 200]);
  await closed;
  const after = await openStore(stateDir);
  t.after(() => after.close());
  assert.equal((await after.jobs.get(id))?.status, 'queued', 'the next start continues it again');
});

test('a started service has loaded the newest model, and starts without it if its file is lost', async (t) => {
  const STATE_DIR = await temporaryDirectory(t);
  const start = async () => {
    const { app, close } = await startService(t, { STATE_DIR });
    const found = /^atelier_model_cache_models (\d+)$/m.exec((await app.inject('/metrics')).body);
    return { app, close, loaded: found?.[1] };
  };
  const first = await start();
  assert.equal(first.loaded, '0');
  const { model } = await train(first.app, tiny());
  await first.close();

  const second = await start();
  assert.equal(second.loaded, '1');
  await second.close();

  await rm(join(STATE_DIR, 'blobs'), { recursive: true });
  const third = await start();
  assert.equal(third.loaded, '0');
  const url = `/v1/models/${model!.name}/predictions`;
  const headers = { 'content-type': 'application/octet-stream' };
  const response = await third.app.inject({ method: 'POST', url, headers, payload: Buffer.alloc(784) });
  assertProblem(response, 500, 'state-unusable');
});

test('a named pipe in place of the newest model is damage, and holds up nothing', async (t) => {
  const STATE_DIR = await temporaryDirectory(t);
  const first = await startService(t, { STATE_DIR });
  const { digest, model } = await train(first.app, tiny());
  await first.close();

  const blob = join(STATE_DIR, 'blobs', digest!.replace('sha256:', ''));
  await rm(blob);
  await promisify(execFile)('mkfifo', [blob]);
  const second = await startService(t, { STATE_DIR });
  const url = `/v1/models/${model!.name}/predictions`;
  const headers = { 'content-type': 'application/octet-stream' };
  const response = await second.app.inject({ method: 'POST', url, headers, payload: Buffer.alloc(784) });
  assertProblem(response, 500, 'state-unusable');
});

test('the first start of a reachable service prints a key, and queues the starter job', async (t) => {
  const written: string[] = [];
  const { mock } = t.mock.method(process.stderr, 'write', (text: string) => written.push(text) > 0);
  const { app } = await startService(t, { HOST: '0.0.0.0', STARTER_JOB: 'on', TRAINING_WORKERS: '1' });
  mock.restore();
  const url = '/v1/training-jobs';
  assertProblem(await app.inject(url), 401, 'unauthenticated');
  const [key] = /atl_[\w-]{43}/.exec(written.join(''))!;
  const response = await app.inject({ url, headers: { authorization: `Bearer ${key}` } });
  const jobs = response.json().data as TrainingJob[];
  assert.deepEqual(
    jobs.map(({ metadata }) => metadata),
    [{ startedBy: 'STARTER_JOB' }],
  );
});

test('a service that cannot be built leaves its state to the next process', async (t) => {
  const STATE_DIR = await temporaryDirectory(t);
  const config = readConfig({ STATE_DIR, DATASETS: 'none' });
  const serverFactory = () => {
    throw new Error('no server');
  };
  const opened = openService(config, pino({ level: 'silent' }), { serverFactory });
  await assert.rejects(opened, /no server/);
  const store = await openStore(STATE_DIR);
  await store.close();
});

test('a request that does not end is cut off before the grace period ends', async (t) => {
  const logged: string[] = [];
  const { app, close } = await startService(
    t,
    { DATASETS: 'none', SHUTDOWN_GRACE_SECONDS: '1', LOG_LEVEL: 'warn' },
    (line) => logged.push(JSON.parse(line).msg),
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const sent = request({
    port,
    path: '/v1/gradient-checks',
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': 2, expect: '100-continue' },
  });
  const failed = once(sent, 'error');
  const continued = new Promise((resolve) => sent.once('continue', resolve));
  sent.flushHeaders();
  await continued;
  await close();
  assert.equal((await failed)[0].code, 'ECONNRESET');
  assert.deepEqual(logged, ['closing connections whose requests took too long']);
});
