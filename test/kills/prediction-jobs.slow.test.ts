/** Prediction jobs in real processes: killed and restarted, and on several replicas. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { PredictionJob } from '../../src/domain/predictions/job.ts';
import { startCluster } from '../support/cluster.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { requestJson, serviceAddress, startProcess, untilServedJob } from '../support/start-process.ts';
import { hasEnded, temporaryDirectory, tiny } from '../support/start-service.ts';

const JOBS = '/v1/prediction-jobs';
/** Large enough that the training images take seconds. */
const SLOW = tiny({ modelName: 'slow', network: { hidden: [512, 512] } });
const SPLIT = { model: 'slow', dataset: 'fashion-mnist', split: 'train' };
/** A busy machine must not reject anything. */
const PATIENT = { MAX_EVENT_LOOP_DELAY_MS: '60000', TRAINING_WORKERS: '1' };

async function untilJob(base: string, id: string, holds: (job: PredictionJob) => boolean) {
  for (;;) {
    const job = await requestJson<PredictionJob>(`${base}${JOBS}/${id}`);
    if (holds(job)) return job;
    assert.equal(job.finishedAt, null, JSON.stringify(job));
    await wait(10);
  }
}

const isRunning = ({ status }: PredictionJob) => status === 'running';
const isDone = ({ status }: PredictionJob) => status === 'succeeded';

async function train(base: string): Promise<void> {
  const { id } = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, SLOW);
  await untilServedJob(base, id, hasEnded);
}

/** The matrix of a result, or of the predictions for a file of Fashion-MNIST. */
async function matrix(base: string, id: string): Promise<Buffer> {
  const response = await fetch(`${base}${JOBS}/${id}/result?format=npy`);
  assert.equal(response.status, 200);
  return Buffer.from(await response.arrayBuffer());
}

async function predict(base: string, file: string): Promise<Buffer> {
  const response = await fetch(`${base}/v1/models/slow/predictions`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-npy', accept: 'application/x-npy' },
    body: await readFile(join(DATA_DIR, file)),
  });
  assert.equal(response.status, 200);
  return Buffer.from(await response.arrayBuffer());
}

async function sendFile(base: string, file: string): Promise<PredictionJob> {
  const form = new FormData();
  form.append('model', 'slow');
  form.append('file', new Blob([await readFile(join(DATA_DIR, file))]));
  const response = await fetch(`${base}${JOBS}`, { method: 'POST', body: form });
  assert.equal(response.status, 202);
  return (await response.json()) as PredictionJob;
}

test('after a kill and after a stop, prediction jobs run again and give the same result', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const first = startProcess(t, stateDir, { DATA_DIR });
  let base = await serviceAddress(first);
  await train(base);
  const { id } = await requestJson<PredictionJob>(base + JOBS, SPLIT);
  const queued = await sendFile(base, 'fashion_mnist_test_images.npy');
  await untilJob(base, id, isRunning);
  first.child.kill('SIGKILL');
  await first.exited;

  const second = startProcess(t, stateDir, { DATA_DIR });
  base = await serviceAddress(second);
  await untilJob(base, id, isRunning);
  second.child.kill('SIGTERM');
  assert.deepEqual(await second.exited, [0, null], second.output());

  base = await serviceAddress(startProcess(t, stateDir, { DATA_DIR }));
  const job = await untilJob(base, id, isDone);
  assert.deepEqual([job.attempts, job.images], [3, 60_000]);
  assert.ok((await matrix(base, id)).equals(await predict(base, 'fashion_mnist_train_images.npy')));
  await untilJob(base, queued.id, isDone);
  assert.ok((await matrix(base, queued.id)).equals(await predict(base, 'fashion_mnist_test_images.npy')));
  const { kinds } = await requestJson<{ kinds: Record<string, { count: number }> }>(`${base}/v1/storage`);
  assert.equal(kinds['predictions']!.count, 3, 'two matrices and the labels of one');
});

test('the jobs of a killed replica run on another one, and a cancelled one ends on any', {
  skip: withoutPostgres,
}, async (t) => {
  const cluster = await startCluster(t, await temporaryDatabase(t), 0, PATIENT);
  const api = await cluster.add({ ROLE: 'api' });
  const worker = await cluster.add({ ROLE: 'worker' });
  await train(api.base);
  const { id } = await requestJson<PredictionJob>(api.base + JOBS, SPLIT);
  const running = await untilJob(api.base, id, isRunning);
  await requestJson(`${api.base}${JOBS}/${id}/cancel`, {});
  assert.equal(running.attempts, 1);
  // The worker detects that the job was cancelled, and runs the next one.
  const file = await sendFile(api.base, 'fashion_mnist_train_images.npy');
  await untilJob(api.base, file.id, isRunning);
  await worker.kill();
  await cluster.add({ ROLE: 'worker' });
  const job = await untilJob(api.base, file.id, isDone);
  assert.deepEqual([job.attempts, job.images], [2, 60_000]);
  assert.ok(
    (await matrix(api.base, file.id)).equals(await predict(api.base, 'fashion_mnist_train_images.npy')),
  );
  const cancelled = await requestJson<PredictionJob>(`${api.base}${JOBS}/${id}`);
  assert.deepEqual([cancelled.status, cancelled.attempts], ['cancelled', 1]);
});
