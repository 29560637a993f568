import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { type TestContext, test } from 'node:test';
import { type Kysely, sql, type Transaction } from 'kysely';
import { collectEvent } from '../../../src/store/database/committed-events.ts';
import type { Rows } from '../../../src/store/database/rows.ts';
import type { Database } from '../../../src/store/database/tables.ts';
import { connectPostgres } from '../../../src/store/postgres/connect.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { createPostgresRows } from '../../../src/store/postgres/rows.ts';
import { withoutPostgres } from '../../support/servers/postgres.ts';
import { failure, newJob, request, temporaryDirectory, untouched } from '../fixtures.ts';
import { sharedDatabase } from './blob-database.ts';
import { fakeDatabase } from './fake-database.ts';

const options = { skip: withoutPostgres };

async function temporaryRows(t: TestContext): Promise<Rows> {
  const url = await sharedDatabase(t);
  const rows = createPostgresRows(await connectPostgres({ url }));
  t.after(() => rows.close());
  return rows;
}

const addModel = (db: Kysely<Database>, name: string) =>
  db.insertInto('models').values({ name, created_at: '', last_version: 0, alias_moves: 0 }).execute();

const raise = (trx: Transaction<Database>, name: string) =>
  trx
    .updateTable('models')
    .set((eb) => ({ last_version: eb('last_version', '+', 1) }))
    .where('name', '=', name)
    .execute();

test('a transaction that loses a deadlock runs again, and calls back once', options, async (t) => {
  const rows = await temporaryRows(t);
  for (const name of ['a', 'b']) await addModel(rows.db, name);
  const called: string[] = [];
  rows.onCommitted((id) => called.push(id));
  let runs = 0;
  const bothHold = Promise.withResolvers<void>();
  const raiseBoth = (first: string, second: string) =>
    rows.inTransaction(async (trx) => {
      await sql`set local deadlock_timeout = '50ms'`.execute(trx);
      await collectEvent(trx, first, { id: 1, type: 'progress', at: '', data: {} });
      await raise(trx, first);
      if (++runs === 2) bothHold.resolve();
      await bothHold.promise;
      await raise(trx, second);
    });
  await Promise.all([raiseBoth('a', 'b'), raiseBoth('b', 'a')]);
  assert.equal(runs, 3);
  assert.deepEqual(called.toSorted(), ['a', 'b']);
  const models = await rows.db.selectFrom('models').select('last_version').execute();
  assert.deepEqual(
    models.map((row) => row.last_version),
    [2, 2],
  );
});

test('a lost connection is named, and the next transaction gets another one', options, async (t) => {
  const rows = await temporaryRows(t);
  const lost = rows.inTransaction(async (trx) => {
    await addModel(trx, 'lost');
    await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx);
  });
  await assert.rejects(lost, failure('storage-unavailable', '57P01'));
  await rows.assertUsable();
  await rows.inTransaction((trx) => addModel(trx, 'kept'));
  assert.deepEqual(await rows.db.selectFrom('models').select('name').execute(), [{ name: 'kept' }]);
});

test('listeners are called for committed events in the context of their writer', options, async (t) => {
  const store = await openPostgresStore({
    url: await sharedDatabase(t),
    directory: await temporaryDirectory(t),
  });
  t.after(() => store.close());
  const context = new AsyncLocalStorage<string>();
  const heard: unknown[] = [];
  store.events.onCommitted((jobId, events) =>
    heard.push([context.getStore(), jobId, events.map(({ id }) => id)]),
  );
  const id = await context.run('first', async () => (await store.jobs.create(request(), untouched)).id);
  await context.run('second', () => store.jobs.start(id));
  const other = await newJob(store);
  assert.deepEqual(heard, [
    ['first', id, [1]],
    ['second', id, [2]],
    [undefined, other, [1]],
  ]);
});

test('tickets follow jobs whose status or priority a transaction has changed', options, async (t) => {
  const url = await sharedDatabase(t);
  const followed: object[] = [];
  const rows = createPostgresRows(await connectPostgres({ url }), {
    async follow(_trx, { id, status, rank }) {
      followed.push({ id, status, rank });
    },
  });
  t.after(() => rows.close());
  await rows.inTransaction(async (trx) => {
    for (const [id, priority] of [
      ['job_1', 0],
      ['job_2', 3],
      ['job_3', 0],
    ] as const) {
      const created = { created_at: '2026-11-26T00:00:00.000Z', attempts: 0, progress: '{}', event_count: 0 };
      const values = { id, status: 'queued', request: '{}', priority, ...created } as never;
      await trx.insertInto('jobs').values(values).execute();
    }
    const event = (type: 'status' | 'priority' | 'progress') => ({ id: 1, type, at: '', data: {} });
    await collectEvent(trx, 'job_1', event('progress'));
    await collectEvent(trx, 'job_1', event('status'));
    await collectEvent(trx, 'job_2', event('priority'));
    await collectEvent(trx, 'job_3', event('progress'));
  });
  // Twice the priority, and one more for a job of no search.
  assert.deepEqual(followed, [
    { id: 'job_1', status: 'queued', rank: 1 },
    { id: 'job_2', status: 'queued', rank: 7 },
  ]);
});

test('the intersection of several queries has the ids that all of them select', options, async (t) => {
  const rows = await temporaryRows(t);
  for (const [id, priority, attempts] of [
    ['job_1', 0, 1],
    ['job_2', 3, 0],
    ['job_3', 3, 1],
    ['job_4', 3, 1],
  ] as const) {
    const values = { id, status: 'queued', request: '{}', created_at: '', progress: '{}', event_count: 0 };
    await rows.db
      .insertInto('jobs')
      .values({ ...values, priority, attempts } as never)
      .execute();
  }
  const jobs = rows.db.selectFrom('jobs').select('id');
  const important = jobs.where('priority', '=', 3);
  const tried = jobs.where('attempts', '=', 1);
  const found = async (...ids: Parameters<Rows['intersect']>) =>
    (await rows.intersect(...ids).execute()).map(({ id }) => id).toSorted();
  assert.deepEqual(await found(important, [tried]), ['job_3', 'job_4']);
  assert.deepEqual(await found(tried, [important, jobs.where('id', '<', 'job_4')]), ['job_3']);
  assert.deepEqual(await found(tried, []), ['job_1', 'job_3', 'job_4']);
});

test('a transaction is repeated up to five times because of others, and not after another error', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const rows = createPostgresRows(fakeDatabase());
  for (const [code, attempts] of [
    ['40001', 5],
    ['40P01', 5],
    ['23505', 1],
  ] as const) {
    let runs = 0;
    const failing = rows.inTransaction(async () => {
      runs += 1;
      throw Object.assign(new Error('as the database says'), { code });
    });
    await assert.rejects(
      failing,
      attempts === 1 ? /as the database says/ : failure('storage-unavailable', code),
    );
    assert.equal(runs, attempts);
  }
  let left = 4;
  const result = await rows.inTransaction(async () => {
    if (left-- > 0) throw Object.assign(new Error('as the database says'), { code: '40001' });
    return 'done';
  });
  assert.equal(result, 'done');
});
