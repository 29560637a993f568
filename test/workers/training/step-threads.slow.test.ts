/** Step threads of jobs with `threads` above 1. They need two cores. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import type { JobEvent } from '../../../src/domain/jobs/training.ts';
import { usableThreads } from '../../../src/services/training/usable-threads.ts';
import {
  cancelJob,
  hasEnded,
  isUnderway,
  queueJob,
  startService,
  tiny,
  train,
  untilJob,
} from '../../support/start-service.ts';

const { app } = await startService({ after });
/** Threads of the last job, in the order of their start. */
let threadsOfJob: { worker: Worker; ended: Promise<unknown> }[] = [];
process.on('worker', (worker) => {
  threadsOfJob.push({ worker, ended: new Promise((resolve) => worker.once('exit', resolve)) });
});
const allEnded = () => Promise.all(threadsOfJob.map(({ ended }) => ended));

/** Starts an endless job, and returns its id once it is underway. */
async function underway(threads: number): Promise<string> {
  threadsOfJob = [];
  const training = { epochs: 10_000, batchSize: 256, threads, validation: { fraction: 0.1 } };
  const { id } = await queueJob(app, tiny({ modelName: 'helped', network: { hidden: [64] }, training }));
  await untilJob(app, id, (job) => isUnderway(job) && job.latest !== null);
  assert.equal(threadsOfJob.length, usableThreads(threads), 'the one that trains, and those that help it');
  return id;
}

test('a lost thread ends the others, and the job continues in new threads', async () => {
  const id = await underway(3);
  const lost = threadsOfJob.splice(0);
  await lost.at(-1)!.worker.terminate();
  await Promise.all(lost.map(({ ended }) => ended));
  await untilJob(app, id, (job) => isUnderway(job) && threadsOfJob.length === usableThreads(3));
  const events: JobEvent[] = (await app.inject(`/v1/training-jobs/${id}/events`)).json().data;
  const warning = events.find(({ type }) => type === 'warning');
  assert.equal(warning?.data['code'], 'worker-crashed');
  assert.match(String(warning.data['message']), /Another thread of the training job/);
  await cancelJob(app, id);
  assert.equal((await untilJob(app, id, hasEnded)).status, 'cancelled');
  await allEnded();
});

test('a job on several threads is cancelled as promptly as on one, and leaves no thread behind', async () => {
  const id = await underway(2);
  await cancelJob(app, id);
  const job = await untilJob(app, id, hasEnded);
  assert.deepEqual([job.status, job.error], ['cancelled', null]);
  await allEnded();
});

test('a job on several threads leaves no thread behind when it ends', async () => {
  threadsOfJob = [];
  const training = { epochs: 1, batchSize: 1024, threads: 4, validation: { fraction: 0.8 } };
  const job = await train(app, tiny({ modelName: 'helped', training }));
  assert.equal(job.status, 'succeeded', job.error?.message);
  assert.equal(threadsOfJob.length, usableThreads(4));
  await allEnded();
});
