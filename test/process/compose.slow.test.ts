import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { AtelierError, type ErrorCode } from '../../src/errors.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  hasEnded,
  interruptible,
  isUnderway,
  queueJob,
  startService,
  temporaryDirectory,
  testImage,
  tiny,
  train,
  untilJob,
} from '../support/start-service.ts';

const codeOf = (code: ErrorCode) => (error: unknown) => error instanceof AtelierError && error.code === code;

test('after a restart models give the same predictions, and finished jobs keep their history', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const before = await startService(t, { STATE_DIR: stateDir });
  const { id } = await train(before.app, tiny({ modelName: 'kept' }));
  const picture = await testImage(before.app, 0);
  const urls = ['', '/events', '/metrics'].map((part) => `/v1/training-jobs/${id}${part}`);
  const asked = [...urls, '/v1/training-jobs', '/v1/models', '/v1/models/kept/versions/1'];
  const ask = async ({ app }: typeof before) => {
    const answers = [];
    for (const url of asked) answers.push((await app.inject(url)).json());
    const prediction = await app.inject({
      method: 'POST',
      url: '/v1/models/kept/predictions',
      headers: { 'content-type': 'application/octet-stream' },
      payload: picture,
    });
    assert.equal(prediction.statusCode, 200);
    return [...answers, prediction.json()];
  };
  const expected = await ask(before);
  await before.close();
  assert.deepEqual(await ask(await startService(t, { STATE_DIR: stateDir })), expected);
});

test('closing requeues a running job, and the next start completes it', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const undisturbed = await startService(t);
  const expected = await train(undisturbed.app, interruptible);

  const before = await startService(t, { STATE_DIR: stateDir, TRAINING_WORKERS: '1' });
  const { id } = await queueJob(before.app, interruptible);
  const behind = await queueJob(before.app, tiny({ modelName: 'behind' }));
  await untilJob(before.app, id, isUnderway);
  await before.close();

  const { app } = await startService(t, { STATE_DIR: stateDir, TRAINING_WORKERS: '1' });
  const job = await untilJob(app, id, hasEnded);
  assert.deepEqual([job.status, job.attempts], ['succeeded', 1]);
  assert.equal(job.digest, expected.digest);
  const events = (await app.inject(`/v1/training-jobs/${id}/events`)).json().data;
  assert.deepEqual(
    events
      .filter((event: { type: string }) => event.type === 'status')
      .map((event: { data: object }) => event.data),
    [
      { to: 'queued' },
      { from: 'queued', to: 'running' },
      { from: 'running', to: 'queued' },
      { from: 'queued', to: 'running' },
      { from: 'running', to: 'succeeded', publication: job.publication },
    ],
  );
  const metrics = (await app.inject(`/v1/training-jobs/${id}/metrics`)).json().data;
  assert.equal(metrics.length, interruptible.training?.epochs, 'each epoch has one record');
  const next = await untilJob(app, behind.id, hasEnded);
  assert.ok(next.startedAt! >= job.finishedAt!, 'what was put back comes before what was queued after it');
});

test('a job that was being cancelled when the service stopped is cancelled', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const before = await startService(t, { STATE_DIR: stateDir });
  const { id } = await queueJob(before.app, endless);
  await untilJob(before.app, id, isUnderway);
  await cancelJob(before.app, id);
  await before.close();
  const { app } = await startService(t, { STATE_DIR: stateDir });
  const job: TrainingJob = (await app.inject(`/v1/training-jobs/${id}`)).json();
  assert.deepEqual([job.status, job.stoppedAt?.reason], ['cancelled', 'cancelled']);
});

test('an empty store queues the starter job, and a store with jobs does not', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const before = await startService(t, { STATE_DIR: stateDir, STARTER_JOB: 'on' });
  const [starter, ...others] = (await before.app.inject('/v1/training-jobs')).json().data as TrainingJob[];
  assert.deepEqual(others, []);
  assert.deepEqual(starter?.network.hidden, [40]);
  assert.deepEqual([starter?.modelName, starter?.training.epochs], ['fashion-mnist', 10]);
  assert.deepEqual(starter?.metadata, { startedBy: 'STARTER_JOB' });
  await cancelJob(before.app, starter!.id);
  await untilJob(before.app, starter!.id, hasEnded);
  await before.close();
  const { app } = await startService(t, { STATE_DIR: stateDir, STARTER_JOB: 'on' });
  assert.equal((await app.inject('/v1/training-jobs')).json().data.length, 1);
});

test('during shutdown new requests are rejected, and the service is alive but not ready', async (t) => {
  const { app, close } = await startService(t);
  const { id } = await queueJob(app, endless);
  await untilJob(app, id, isUnderway);
  const closed = close();
  const urls = ['/v1/models', '/health/ready', '/health/live'];
  const [refused, ready, live] = await Promise.all(urls.map((url) => app.inject(url)));
  assertProblem(refused!, 503, 'draining');
  assert.match(String(refused!.headers['retry-after']), /^[1-9]\d*$/);
  assert.equal(ready!.statusCode, 503);
  assert.deepEqual(ready!.json(), {
    ready: false,
    checks: { database: true, datasets: true, accepting: false, storage: true },
  });
  assert.equal(live!.statusCode, 200);
  await closed;
});

test('rejects a second service on the same state directory, and the first continues', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const { app } = await startService(t, { STATE_DIR: stateDir });
  await assert.rejects(startService(t, { STATE_DIR: stateDir }), codeOf('state-locked'));
  assert.equal((await train(app)).status, 'succeeded');
});

test('an invalid data set stops the start and releases the state directory', async (t: TestContext) => {
  const [stateDir, dataDir] = [await temporaryDirectory(t), await temporaryDirectory(t)];
  await mkdir(dataDir, { recursive: true });
  await writeFile(join(dataDir, 'fashion_mnist_train_images.npy'), 'not an array');
  await assert.rejects(startService(t, { STATE_DIR: stateDir, DATA_DIR: dataDir }), (error) => {
    assert.ok(codeOf('invalid-dataset')(error));
    assert.match(String(error), /fashion_mnist_train_images\.npy.*npx atelier data/);
    return true;
  });
  await startService(t, { STATE_DIR: stateDir });
});
