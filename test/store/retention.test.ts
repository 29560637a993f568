import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { Kysely } from 'kysely';
import { AtelierError, type ErrorCode } from '../../src/errors.ts';
import type { Rows } from '../../src/store/database/rows.ts';
import type { Database } from '../../src/store/database/tables.ts';
import { createRetention } from '../../src/store/retention.ts';
import { createDialect } from '../../src/store/sqlite/dialect.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { failure, newJob, openWithConnection, publish, runOf, temporaryDirectory } from './fixtures.ts';

const HOUR_MS = 3_600_000;
const never = new AbortController().signal;
const later = () => new Date(Date.now() + HOUR_MS);

/** A store with an ended job of its own, one of a search, and a running one; each has a checkpoint. */
async function openWithJobs(t: TestContext) {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  t.after(() => store.close());
  const [alone, trial, running] = [
    await newJob(store, 'running'),
    await newJob(store, 'running'),
    await newJob(store, 'running'),
  ];
  for (const id of [alone, trial, running])
    await runOf(id).saveCheckpoint({ step: 1, epoch: 1, loss: null }, Buffer.from(id));
  for (const id of [alone, trial]) {
    await store.jobs.requestCancel(id);
    await runOf(id).release();
  }
  const raw = new DatabaseSync(join(directory, 'atelier.sqlite'), { enableForeignKeyConstraints: false });
  raw.prepare('update jobs set search_id = ? where id = ?').run('sch_1', trial);
  raw.close();
  const eventsOf = async (id: string) => (await store.events.list(id, { limit: 100 })).data.length;
  const checkpointsOf = async (id: string) => (await store.checkpoints.list(id)).length;
  const counts = async (count: (id: string) => Promise<number>) => [
    await count(alone),
    await count(trial),
    await count(running),
  ];
  const ids = async () => (await store.jobs.list({ limit: 10 })).data.map(({ id }) => id).toReversed();
  return { store, alone, trial, running, ids, counts, eventsOf, checkpointsOf };
}

test('events of ended jobs are deleted, also of those of a search, and nothing else', async (t) => {
  const { store, alone, trial, running, ids, counts, eventsOf, checkpointsOf } = await openWithJobs(t);
  const [first, second, third] = await counts(eventsOf);
  await store.retention.deleteEvents(new Date(Date.now() - HOUR_MS), never);
  assert.deepEqual(await counts(eventsOf), [first, second, third]);
  await store.retention.deleteEvents(later(), AbortSignal.abort());
  assert.deepEqual(await counts(eventsOf), [first, second, third]);
  await store.retention.deleteEvents(later(), never);
  assert.deepEqual(await counts(eventsOf), [0, 0, third]);
  assert.deepEqual(await counts(checkpointsOf), [1, 1, 1]);
  assert.deepEqual(await ids(), [alone, trial, running]);
});

test('checkpoints of ended jobs are deleted, also of those of a search, and nothing else', async (t) => {
  const { store, alone, trial, running, ids, counts, eventsOf, checkpointsOf } = await openWithJobs(t);
  const events = await counts(eventsOf);
  await store.retention.deleteCheckpoints(later(), AbortSignal.abort());
  assert.deepEqual(await counts(checkpointsOf), [1, 1, 1]);
  await store.retention.deleteCheckpoints(later(), never);
  assert.deepEqual(await counts(checkpointsOf), [0, 0, 1]);
  assert.deepEqual(await counts(eventsOf), events);
  assert.deepEqual(await ids(), [alone, trial, running]);
});

test('ended jobs are deleted, and those of a search stay with all that they have', async (t) => {
  const { store, alone, trial, running, ids, counts, eventsOf, checkpointsOf } = await openWithJobs(t);
  const [, second, third] = await counts(eventsOf);
  await store.retention.deleteJobs(later(), AbortSignal.abort());
  assert.deepEqual(await ids(), [alone, trial, running]);
  await store.retention.deleteJobs(later(), never);
  assert.deepEqual(await ids(), [trial, running]);
  assert.deepEqual(await counts(eventsOf), [0, second, third]);
  assert.deepEqual(await counts(checkpointsOf), [0, 1, 1]);
});

test('prediction jobs that ended before a time are deleted, unless the process stops', async (t) => {
  const { store } = await openWithJobs(t);
  await publish(store, 'shoes');
  const { predictionJobs: jobs } = store;
  const created = [];
  for (let n = 0; n < 3; n++) {
    const model = { name: 'shoes', version: 1 };
    const source = { pixels: '0-1' } as const;
    const job = { model, classNames: ['cat', 'dog'], source, images: 3, coverage: null };
    created.push((await jobs.create(job, { queueLimit: 10 })).id);
  }
  for (const id of created.slice(0, 2)) await jobs.cancel(id);
  const ids = async () => (await jobs.list({ limit: 10 })).data.map(({ id }) => id).toReversed();
  await store.retention.deleteJobs(new Date(Date.now() - HOUR_MS), never);
  assert.deepEqual(await ids(), created);
  await store.retention.deleteJobs(later(), AbortSignal.abort());
  assert.deepEqual(await ids(), created);
  await store.retention.deleteJobs(later(), never);
  assert.deepEqual(await ids(), created.slice(2));
});

/** The retention of a store with one ended job, which cannot be removed, and two prediction jobs, of which the first cannot. */
async function openUnremovable(t: TestContext) {
  const { store, raw } = await openWithConnection(t);
  await store.jobs.requestCancel(await newJob(store));
  const db = new Kysely<Database>({ dialect: createDialect(raw) });
  const rows = { db, inTransaction: (work) => db.transaction().execute(work) } as Rows;
  const fails: Partial<Record<'job' | 'prediction job', ErrorCode>> = {};
  const removed: string[] = [];
  const retention = createRetention(
    rows,
    store.checkpoints,
    {
      async remove() {
        if (fails.job) throw new AtelierError(fails.job, '');
        return [];
      },
    },
    {
      endedBefore: async () => (removed.length > 0 ? [] : ['first', 'second']),
      async remove(id) {
        removed.push(id);
        if (id === 'first' && fails['prediction job']) throw new AtelierError(fails['prediction job'], '');
      },
    },
  );
  return {
    fails,
    async deleteJobs(signal = never) {
      removed.length = 0;
      await retention.deleteJobs(later(), signal);
      return [...removed];
    },
  };
}

test('a job that someone else has deleted or uses again is skipped, and any other error ends the deletion', async (t) => {
  const { fails, deleteJobs } = await openUnremovable(t);
  for (const code of ['training-job-not-found', 'training-job-in-use'] as const) {
    fails.job = code;
    assert.deepEqual(await deleteJobs(), ['first', 'second']);
  }
  fails.job = 'storage-full';
  await assert.rejects(deleteJobs(), failure('storage-full'));
  delete fails.job;
  fails['prediction job'] = 'prediction-job-not-found';
  assert.deepEqual(await deleteJobs(), ['first', 'second']);
  fails['prediction job'] = 'storage-full';
  await assert.rejects(deleteJobs(), failure('storage-full'));
});
