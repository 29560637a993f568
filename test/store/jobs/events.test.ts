import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventType } from '../../../src/domain/jobs/training.ts';
import {
  epochRecord,
  failure,
  newJob,
  openWithConnection,
  runOf,
  temporaryStore,
  underway,
} from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

storeTest('200 concurrent events are numbered without gaps or repeats', async (t) => {
  const store = await temporaryStore(t);
  const jobs = [await newJob(store), await newJob(store)];
  const events = await Promise.all(
    Array.from({ length: 200 }, (_, n) => store.events.append(jobs[n % 2]!, 'warning', { n })),
  );
  for (const [which, job] of jobs.entries()) {
    const ids = events.filter((_, n) => n % 2 === which).map(({ id }) => id);
    const expected = Array.from({ length: 100 }, (_, n) => n + 2);
    assert.deepEqual(
      ids.sort((a, b) => a - b),
      expected,
    );
    const { data } = await store.events.list(job, { limit: 1000 });
    assert.deepEqual(
      data.map(({ id }) => id),
      [1, ...expected],
    );
  }
});

storeTest('an event is read back unchanged', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store);
  const data = { text: 'Größe "1"\n', list: [1, 2.5e-300], nested: { none: null } };
  const event = await store.events.append(id, 'warning', data);
  assert.deepEqual((await store.events.list(id, { limit: 1, after: 1 })).data, [event]);
  assert.deepEqual(event.data, data);
  assert.match(event.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

storeTest('pages neither skip nor repeat events while more are appended', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store);
  for (let n = 2; n <= 5; n++) await store.events.append(id, 'warning', { n });
  const seen: number[] = [];
  let more = true;
  while (more) {
    const page = await store.events.list(id, { limit: 2, after: seen.at(-1) });
    seen.push(...page.data.map((event) => event.id));
    more = page.hasMore;
    if (seen.length === 2) await store.events.append(id, 'warning', { n: 6 });
  }
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(await store.events.list(id, { limit: 2, after: 6 }), { data: [], hasMore: false });
});

storeTest('a rejected event takes no number', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store);
  await assert.rejects(
    store.events.append(id, 'warning', { loss: Number.NaN }),
    /NaN in JSON \(key "loss"\)/,
  );
  assert.equal((await store.events.append(id, 'warning', {})).id, 2);
});

storeTest('rejects an event of an unknown job', async (t) => {
  const store = await temporaryStore(t);
  const type: EventType = 'warning';
  await assert.rejects(
    store.events.append('job_nobody', type, {}),
    failure('training-job-not-found', 'job_nobody'),
  );
  assert.deepEqual(await store.events.list('job_nobody', { limit: 5 }), { data: [], hasMore: false });
});

storeTest('notifies listeners once per transaction, with events that can be read already', async (t) => {
  const store = await temporaryStore(t);
  const seen: [jobId: string, ...ids: number[]][] = [];
  const readable: Promise<void>[] = [];
  store.events.onCommitted((jobId, events) => {
    seen.push([jobId, ...events.map(({ id }) => id)]);
    const committed = events.map(({ job, ...event }) => event);
    const after = committed[0]!.id - 1;
    const limit = committed.length;
    readable.push(
      store.events.list(jobId, { after, limit }).then(({ data }) => assert.deepEqual(data, committed)),
    );
  });
  const [first, second] = [await newJob(store), await newJob(store, 'running')];
  await store.events.append(first, 'warning', {});
  await assert.rejects(store.events.append(first, 'warning', { loss: Number.NaN }));
  await runOf(second).recordProgress(underway);
  await runOf(second).finish({
    status: 'failed',
    step: 1,
    error: { code: 'loss-diverged', message: '' },
  });
  assert.deepEqual(seen, [
    [first, 1],
    [second, 1],
    [second, 2],
    [first, 2],
    [second, 3],
    [second, 4, 5],
  ]);
  await Promise.all(readable);
});

storeTest('a status event comes with the job as it is after the change', async (t) => {
  const store = await temporaryStore(t);
  const states: unknown[] = [];
  store.events.onCommitted((_, events) => states.push(...events.flatMap(({ job }) => job ?? [])));
  const id = await newJob(store, 'running');
  await runOf(id).recordProgress(underway);
  const error = { code: 'loss-diverged', message: 'The loss became NaN.' } as const;
  await runOf(id).finish({ status: 'failed', step: 900, error });
  const job = {
    modelName: 'fashion-mnist',
    dataset: 'fashion-mnist',
    training: { validation: { fraction: 0.1 } },
    attempts: 0,
    step: 0,
    digest: null,
    traceparent: null,
    searchId: null,
    error: null,
  };
  assert.deepEqual(states, [
    job,
    { ...job, attempts: 1 },
    { ...job, attempts: 1, step: underway.step, error },
  ]);
});

storeTest('does not notify of events that were rolled back', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const seen: number[] = [];
  store.events.onCommitted((_, events) => seen.push(...events.map((event) => event.id)));
  // This writes the event of the epoch, then fails and rolls back, because the progress cannot be stored.
  const infinite = { ...underway, fraction: Number.POSITIVE_INFINITY };
  await assert.rejects(
    runOf(id).recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], infinite),
    RangeError,
  );
  await store.events.append(id, 'warning', { code: 'dead-units' });
  assert.deepEqual(seen, [3]);
});

test('an event is not earlier than the one before, which another process has written', async (t) => {
  const { store, raw } = await openWithConnection(t);
  const id = await newJob(store);
  const at = new Date(Date.now() + 200).toISOString();
  raw.prepare('update events set at = ?').run(at);
  const event = await store.events.append(id, 'warning', {});
  assert.ok(event.at >= at);
});
