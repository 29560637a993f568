import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
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

test('a service that listens has loaded the newest model', async (t) => {
  const STATE_DIR = await temporaryDirectory(t);
  const first = await startService(t, { STATE_DIR });
  await first.warmUp();
  await train(first.app, tiny());
  await first.close();
  const { app, warmUp } = await startService(t, { STATE_DIR });
  const loaded = async () =>
    /^atelier_model_cache_models (\d+)$/m.exec((await app.inject('/metrics')).body)?.[1];
  assert.equal(await loaded(), '0');
  await warmUp();
  assert.equal(await loaded(), '1');
});
