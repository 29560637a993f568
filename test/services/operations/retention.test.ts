import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { listEvents } from '../../../src/services/events/list.ts';
import { createEventSubscriptions } from '../../../src/services/events/subscribe.ts';
import { createRetentionService } from '../../../src/services/operations/retention.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { failure, newJob, request, runOf, temporaryDirectory, untouched } from '../../store/fixtures.ts';

/** More than one transaction deletes. */
const EVENTS = 1100;
const DAY_MS = 24 * 60 * 60 * 1000;

async function openWithJobs(t: TestContext) {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  t.after(() => store.close());
  const ended = await newJob(store, 'running');
  for (const step of [1, 2]) {
    await runOf(ended).saveCheckpoint({ step, epoch: 1, loss: null }, new Uint8Array(8).fill(step));
  }
  const waiting = await store.jobs.create(
    { ...request(), warmStart: { name: ended, version: 2 } },
    untouched,
  );
  await Promise.all(Array.from({ length: EVENTS }, (_, n) => store.events.append(ended, 'warning', { n })));
  await store.jobs.requestCancel(ended);
  await runOf(ended).release();
  return { store, ended, waiting: waiting.id, files: () => readdir(join(directory, 'checkpoints')) };
}

/** Runs retention as if it were some days later. */
async function retain(store: Store, days: number, keepJobsDays: number | null = null): Promise<void> {
  const service = createRetentionService({
    retention: store.retention,
    keepEventsDays: 7,
    keepCheckpointsDays: 7,
    keepJobsDays,
    now: () => new Date(Date.now() + days * DAY_MS),
    onDefect: assert.ifError,
  });
  await service.start();
  await service.close();
}

test('deletes events and checkpoints of jobs that ended long ago, and nothing else', async (t) => {
  const { store, ended, waiting, files } = await openWithJobs(t);
  const list = async (id: string) => (await store.events.list(id, { limit: 10_000 })).data.length;
  const before = await list(ended);
  // A hundred years ago is a time that no id can hold.
  await retain(store, 6.9, 36_500);
  assert.equal(await list(ended), before);
  assert.equal((await files()).length, 2);

  await retain(store, 7.1);
  assert.deepEqual([await list(ended), await list(waiting)], [0, 1]);
  const steps = async () => (await store.checkpoints.list(ended)).map(({ step }) => step);
  assert.deepEqual([await steps(), (await files()).length], [[2], 1], 'a queued job starts from step 2');
  await assert.rejects(
    store.jobs.create({ ...request(), warmStart: { name: ended, version: 1 } }, untouched),
    failure('unknown-model', 'Checkpoint 1', 'removed'),
  );
  assert.equal((await store.jobs.get(ended))?.status, 'cancelled');

  await store.jobs.requestCancel(waiting);
  await retain(store, 7.1);
  assert.deepEqual([await list(waiting), await steps(), await files()], [0, [], []]);
});

test('a job of a search stays until its search is deleted, without its events', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  t.after(() => store.close());
  const [alone, trial] = [await newJob(store, 'running'), await newJob(store, 'running')];
  for (const id of [alone, trial]) {
    await store.events.append(id, 'warning', {});
    await store.jobs.requestCancel(id);
    await runOf(id).release();
  }
  const raw = new DatabaseSync(join(directory, 'atelier.sqlite'), { enableForeignKeyConstraints: false });
  raw.prepare('update jobs set search_id = ? where id = ?').run('sch_1', trial);
  raw.close();
  await retain(store, 8, 5);
  assert.deepEqual(
    (await store.jobs.list({ limit: 10 })).data.map(({ id }) => id),
    [trial],
  );
  assert.deepEqual((await store.events.list(trial, { limit: 10 })).data, []);
});

test('deletes whole jobs that ended long ago, unless an unfinished job uses them', async (t) => {
  const { store, ended, waiting, files } = await openWithJobs(t);
  await retain(store, 6.9, 5);
  assert.equal((await store.jobs.get(ended))?.status, 'cancelled', 'a queued job starts from its checkpoint');
  await store.jobs.requestCancel(waiting);
  await retain(store, 4.9, 5);
  assert.ok(await store.jobs.get(ended));
  await retain(store, 5.1, 5);
  assert.deepEqual(await store.jobs.list({ limit: 10 }), { data: [], hasMore: false });
  assert.deepEqual(await files(), []);
  assert.deepEqual((await store.events.list(ended, { limit: 10 })).data, []);
});

test('reports that the events of a job were deleted, entirely or in part', async (t) => {
  const { store, ended } = await openWithJobs(t);
  const job = (await store.jobs.get(ended))!;
  const subscribe = createEventSubscriptions(store);
  const cursors = [0, 1, EVENTS].map((after) => ({ after, parameter: 'Last-Event-ID' }));
  for (const cursor of cursors) assert.ok(await subscribe(ended, cursor));
  let batches = 0;
  const signal = Object.defineProperty(new AbortController().signal, 'aborted', {
    get: () => batches++ > 1, // read once for the job, and before each batch
  });
  await store.retention.deleteEvents(new Date(Date.now() + DAY_MS), signal);
  assert.equal((await store.events.list(ended, { limit: 1 })).data[0]?.id, 501);
  for (const cursor of cursors.slice(0, 2)) {
    await assert.rejects(subscribe(ended, cursor), failure('events-deleted', ended, 'metrics'));
    await assert.rejects(
      listEvents(store.events, job, { limit: 10, after: cursor.after }),
      failure('events-deleted'),
    );
  }
  await retain(store, 8);
  for (const cursor of cursors) await assert.rejects(subscribe(ended, cursor), failure('events-deleted'));
});

test('deletes searches as long after their end as jobs', async () => {
  const now = () => new Date('2027-03-31T12:00:00Z');
  const removed: [Date, boolean][] = [];
  const calls: string[] = [];
  const record = (name: string) => async (before: Date) => void calls.push(`${name} ${before.toISOString()}`);
  const service = createRetentionService({
    retention: {
      deleteEvents: record('events'),
      deleteCheckpoints: record('checkpoints'),
      deleteJobs: record('jobs'),
    },
    keepEventsDays: 1,
    keepCheckpointsDays: 2,
    keepJobsDays: 30,
    removeSearches: async (before, signal) => void removed.push([before, signal.aborted]),
    now,
    onDefect: assert.ifError,
  });
  await service.start();
  await service.close();
  assert.deepEqual(removed, [[new Date('2027-03-01T12:00:00Z'), false]]);
  assert.deepEqual(calls, [
    'events 2027-03-30T12:00:00.000Z',
    'checkpoints 2027-03-29T12:00:00.000Z',
    'jobs 2027-03-01T12:00:00.000Z',
  ]);
});

test('runs a single task at the start and once an hour', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let runs = 0;
  const none = async () => assert.fail('nothing is deleted');
  const service = createRetentionService({
    retention: { deleteEvents: none, deleteCheckpoints: none, deleteJobs: none },
    keepEventsDays: null,
    keepCheckpointsDays: null,
    keepJobsDays: null,
    tasks: [async () => void runs++],
    onDefect: assert.ifError,
  });
  await service.start();
  t.mock.timers.tick(3_600_000 - 1);
  assert.equal(runs, 1);
  t.mock.timers.tick(1);
  assert.equal(runs, 2);
  await service.close();
});
