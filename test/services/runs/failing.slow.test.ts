/** Trainings whose thread ends or whose state cannot be written. */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import type { JobEvent } from '../../../src/domain/jobs/training.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import {
  hasEnded,
  isRunning,
  isUnderway,
  queueJob,
  startService,
  temporaryDirectory,
  tiny,
  train,
  untilJob,
} from '../../support/start-service.ts';

const { app } = await startService({ after }, { DATA_DIR });

/** The threads that run, also those that are kept for the next job. */
const threads = new Set<Worker>();
process.on('worker', (thread) => {
  threads.add(thread);
  thread.once('exit', () => threads.delete(thread));
});
const endThreads = () => Promise.all([...threads].map((thread) => thread.terminate()));

async function eventsOf(id: string): Promise<JobEvent[]> {
  return (await app.inject(`/v1/training-jobs/${id}/events`)).json().data;
}

const dataOf = (events: JobEvent[], type: JobEvent['type']) =>
  events.filter((event) => event.type === type).map(({ data }) => data['code'] ?? data['epoch']);

test('a job whose thread crashes resumes from its last checkpoint with the same result', async () => {
  const training = { epochs: 12, validation: { fraction: 0.95 }, dropout: 0.25 };
  const undisturbed = await train(app, tiny({ modelName: 'undisturbed', training }));
  const { id } = await queueJob(app, tiny({ modelName: 'crashing', training }));
  await untilJob(app, id, isUnderway);
  // A pause writes a checkpoint.
  const act = (action: 'pause' | 'resume') =>
    app.inject({ method: 'POST', url: `/v1/training-jobs/${id}/${action}` });
  await act('pause');
  const { progress } = await untilJob(app, id, ({ status }) => status === 'paused');
  await act('resume');
  await untilJob(app, id, (job) => isRunning(job) && job.progress.step > progress.step);
  const beside = await queueJob(app, tiny({ modelName: 'beside' }));
  await endThreads();
  const job = await untilJob(app, id, hasEnded);
  assert.deepEqual([job.status, job.digest], ['succeeded', undisturbed.digest]);
  const events = await eventsOf(id);
  assert.deepEqual(dataOf(events, 'warning'), ['worker-crashed']);
  const epochs = Array.from({ length: 12 }, (_, n) => n + 1);
  assert.deepEqual(dataOf(events, 'epoch'), epochs);
  assert.equal((await untilJob(app, beside.id, hasEnded)).status, 'succeeded');
});

test('a job whose thread crashes three times before a checkpoint fails by name', async (t) => {
  await endThreads();
  const end = (thread: Worker) => void thread.once('online', () => thread.terminate());
  process.on('worker', end);
  t.after(() => process.off('worker', end));
  const job = await train(app, tiny({ modelName: 'doomed' }));
  process.off('worker', end);
  assert.deepEqual([job.status, job.attempts, job.error?.code], ['failed', 3, 'worker-crashed']);
  assert.deepEqual(dataOf(await eventsOf(job.id), 'warning'), ['worker-crashed', 'worker-crashed']);
  assert.equal((await train(app, tiny({ modelName: 'spared' }))).status, 'succeeded');
});

test('a job whose parameters cannot be stored fails, and the next one runs', async (t) => {
  const full = await temporaryDirectory(t);
  const { app: service } = await startService(t, { DATA_DIR, STATE_DIR: full });
  const blobs = join(full, 'blobs');
  await rm(blobs, { recursive: true });
  await writeFile(blobs, 'a file in the place of the folder');
  const { id } = await queueJob(service);
  const failed = await untilJob(service, id, hasEnded);
  assert.equal(failed.status, 'failed');
  assert.equal(failed.error?.code, 'state-unusable');
  assert.deepEqual(failed.stoppedAt, { step: failed.progress.step, reason: 'failed' });
  await rm(blobs);
  await mkdir(blobs);
  assert.equal((await train(service, tiny())).status, 'succeeded');
});
