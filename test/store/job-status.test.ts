import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { epochRecord, failure, newJob, temporaryStore, trained, underway, untouched } from './fixtures.ts';

async function eventsOf(store: Store, id: string): Promise<unknown[]> {
  const { data } = await store.events.list(id, { limit: 100 });
  assert.deepEqual(
    data.map((event) => event.id),
    data.map((_, n) => n + 1),
  );
  return data.map((event) => [event.type, event.data]);
}

test('a job that succeeds publishes a version of its model, and its events tell the way', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running', 'shoes');
  const job = await store.jobs.finish(id, {
    status: 'succeeded',
    step: 8440,
    reason: 'completed',
    model: trained,
  });
  assert.equal(job.status, 'succeeded');
  assert.deepEqual(job.model, { name: 'shoes', version: 1 });
  assert.equal(job.digest, trained.digest);
  assert.deepEqual(job.stoppedAt, { step: 8440, reason: 'completed' });
  assert.ok(job.finishedAt! >= job.startedAt!);
  assert.deepEqual(await store.jobs.get(id), job);
  const version = await store.models.version('shoes', 1);
  assert.deepEqual(version, {
    ...trained,
    name: 'shoes',
    version: 1,
    jobId: id,
    createdAt: version?.createdAt,
  });
  assert.deepEqual(await eventsOf(store, id), [
    ['status', { to: 'queued' }],
    ['status', { from: 'queued', to: 'running' }],
    ['status', { from: 'running', to: 'succeeded' }],
  ]);
});

test('a job that fails keeps the reason, and its error comes before its last status', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const error = { code: 'loss-diverged', message: 'the loss is NaN at step 12' } as const;
  const job = await store.jobs.finish(id, { status: 'failed', step: 12, error });
  assert.deepEqual(job.error, error);
  assert.deepEqual(job.stoppedAt, { step: 12, reason: 'failed' });
  assert.equal(job.model, null);
  assert.deepEqual((await eventsOf(store, id)).slice(2), [
    ['error', error],
    ['status', { from: 'running', to: 'failed' }],
  ]);
});

test('a queued job is cancelled at once', async (t) => {
  const store = await temporaryStore(t);
  const job = await store.jobs.requestCancel(await newJob(store));
  assert.equal(job.status, 'cancelled');
  assert.ok(job.finishedAt);
  assert.deepEqual(job.stoppedAt, { step: 0, reason: 'cancelled' });
});

test('a running job is cancelling until its thread has stopped', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const asked = await store.jobs.requestCancel(id);
  assert.deepEqual([asked.status, asked.finishedAt, asked.stoppedAt], ['cancelling', null, null]);
  const stopped = await store.jobs.finish(id, { status: 'cancelled', step: 77 });
  assert.equal(stopped.status, 'cancelled');
  assert.deepEqual(stopped.stoppedAt, { step: 77, reason: 'cancelled' });
});

test('an illegal change leaves neither a trace in the job nor an event', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  await store.jobs.recordEpoch(id, epochRecord(1, 0.5), underway);
  await assert.rejects(store.jobs.start(id), failure('illegal-transition', 'running'));
  await assert.rejects(
    store.jobs.finish(id, { status: 'cancelled', step: 3 }),
    failure('illegal-transition', 'running'),
  );
  const before = await store.jobs.finish(id, {
    status: 'succeeded',
    step: 9,
    reason: 'completed',
    model: trained,
  });
  const events = await eventsOf(store, id);
  const error = { code: 'worker-crashed', message: 'gone' } as const;
  for (const illegal of [
    () => store.jobs.start(id),
    () => store.jobs.requeue(id),
    () => store.jobs.requestCancel(id),
    () => store.jobs.finish(id, { status: 'failed', step: 9, error }),
    () => store.jobs.finish(id, { status: 'cancelled', step: 9 }),
    () => store.jobs.finish(id, { status: 'succeeded', step: 9, reason: 'completed', model: trained }),
    () => store.jobs.recordProgress(id, underway),
    () => store.jobs.recordEpoch(id, epochRecord(2, 0.4), underway),
  ]) {
    await assert.rejects(illegal(), failure('illegal-transition', 'succeeded'));
  }
  assert.deepEqual(await store.jobs.get(id), before);
  assert.deepEqual(await eventsOf(store, id), events);
  assert.equal((await store.metrics.list(id)).length, 1);
  assert.equal((await store.models.get('fashion-mnist'))?.versions, 1);
});

test('of two who start a job at once, one does', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store);
  const results = await Promise.allSettled([store.jobs.start(id), store.jobs.start(id)]);
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.equal((await store.jobs.get(id))?.attempts, 1);
});

test('a further attempt begins from nothing', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  await store.jobs.recordEpoch(id, epochRecord(1, 0.5), underway);
  const waiting = await store.jobs.requeue(id);
  assert.equal(waiting.status, 'queued');
  const job = await store.jobs.start(id);
  assert.equal(job.attempts, 2);
  assert.deepEqual([job.progress, job.latest, job.best], [untouched, null, null]);
  assert.deepEqual(await store.metrics.list(id), []);
  await store.jobs.recordEpoch(id, epochRecord(1, 0.9), underway);
  assert.equal((await store.jobs.get(id))?.best?.validationLoss, 0.9);
});

test('what a killed process left is queued again or cancelled', async (t) => {
  const store = await temporaryStore(t);
  const queued = await newJob(store);
  const running = await newJob(store, 'running');
  const cancelling = await newJob(store, 'cancelling');
  await store.jobs.recordProgress(cancelling, underway);
  const changed = await store.jobs.requeueInterrupted();
  assert.deepEqual(
    changed.map(({ id, status }) => [id, status]),
    [
      [running, 'queued'],
      [cancelling, 'cancelled'],
    ],
  );
  assert.deepEqual(changed[1]?.stoppedAt, { step: underway.step, reason: 'cancelled' });
  assert.equal((await store.jobs.get(queued))?.status, 'queued');
  assert.deepEqual((await eventsOf(store, running)).at(-1), ['status', { from: 'running', to: 'queued' }]);
  assert.deepEqual(await store.jobs.requeueInterrupted(), []);
});
