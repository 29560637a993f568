import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import pg from 'pg';
import { encodeTime } from 'ulid';
import { connectPostgres } from '../../../src/store/postgres/connect.ts';
import { createPartitions } from '../../../src/store/postgres/partitions.ts';
import { createPostgresRetention } from '../../../src/store/postgres/retention.ts';
import { createPostgresRows } from '../../../src/store/postgres/rows.ts';
import { execute, withoutPostgres } from '../../support/servers/postgres.ts';
import { sharedDatabase } from './blob-database.ts';

/** A Thursday, the first day of every partition. */
const FIRST_DAY = Date.parse('2026-01-01');
const toTime = (day: number) => new Date(FIRST_DAY + day * 24 * 60 * 60 * 1000);
const toId = (day: number) => `job_${encodeTime(toTime(day).getTime())}${'0'.repeat(16)}`;

/** @param jobs the days of creation and end of each job, which has one event; null for a paused job */
async function openDatabase(t: TestContext, jobs: readonly (readonly [number, number | null])[]) {
  const url = await sharedDatabase(t);
  const db = await connectPostgres({ url });
  t.after(() => db.destroy());
  await createPartitions(db, toTime(0));
  for (const [created, ended] of jobs) {
    const [status, finishedAt] =
      ended === null ? ['paused', 'null'] : ['cancelled', `'${toTime(ended).toISOString()}'`];
    await execute(
      url,
      `insert into atelier.jobs (id, status, request, created_at, finished_at, attempts, progress, event_count)
       values ('${toId(created)}', '${status}', '{}', '${toTime(created).toISOString()}', ${finishedAt}, 1, '{}', 1)`,
      `insert into atelier.events values ('${toId(created)}', 1, 'status', '', '{}')`,
    );
  }
  const retention = createPostgresRetention(
    createPostgresRows(db),
    { expire: () => assert.fail('no job has a checkpoint') },
    { remove: () => assert.fail('jobs are kept') },
    { endedBefore: async () => [], remove: () => assert.fail('jobs are kept') },
  );
  const { signal } = new AbortController();
  return {
    db,
    url,
    deleteEvents: (day: number) => retention.deleteEvents(toTime(day), signal),
    async remaining() {
      const rows = await db.selectFrom('events').select('job_id').orderBy('job_id').execute();
      return rows.map((row) => row.job_id);
    },
    async hasWeek(day: number) {
      const name = `atelier.events_${toTime(day).toISOString().slice(0, 10).replaceAll('-', '')}`;
      const { rows } = await sql<{
        exists: boolean;
      }>`select to_regclass(${name}) is not null as exists`.execute(db);
      return rows[0]!.exists;
    },
  };
}

test('drops a week of events once all of its jobs have ended', { skip: withoutPostgres }, async (t) => {
  const jobs = [
    [-3, -2], // before the first partition
    [1, 2],
    [6, 8],
    [9, 10],
    [10, null],
    [15, 16],
  ] as const;
  const { db, deleteEvents, remaining, hasWeek } = await openDatabase(t, jobs);
  await deleteEvents(7);
  assert.ok(await hasWeek(0), 'a job of the first week ended later');
  await deleteEvents(9);
  assert.deepEqual([await hasWeek(0), await hasWeek(7)], [false, true]);
  assert.deepEqual(await remaining(), [9, 10, 15].map(toId), 'the default partition is not dropped');

  await deleteEvents(18);
  assert.ok(await hasWeek(7), 'a job of the second week is paused');
  assert.deepEqual(await remaining(), [10, 15].map(toId), 'a week later, the others are deleted as rows');

  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext('atelier retention'))`.execute(trx);
    await deleteEvents(40);
    assert.deepEqual(await remaining(), [10, 15].map(toId), 'another replica deletes');
  });
  await deleteEvents(40);
  assert.deepEqual(await remaining(), [10].map(toId));
  const metrics = await sql`select from pg_class where relname like 'metrics_202601%'`.execute(db);
  assert.ok(metrics.rows.length > 0, 'metrics are kept');
});

test('a week of events that others lock stays until the next time', { skip: withoutPostgres }, async (t) => {
  const { url, deleteEvents, remaining, hasWeek } = await openDatabase(t, [[1, 2]]);
  const reader = new pg.Client({ connectionString: url });
  await reader.connect();
  await reader.query('begin; lock table atelier.events_20260101 in access share mode');
  await deleteEvents(9);
  assert.ok(await hasWeek(0));
  await reader.end();
  await deleteEvents(9);
  assert.ok(!(await hasWeek(0)));
  assert.deepEqual(await remaining(), []);
});

test('an error of the database that is no lock is not hidden', { skip: withoutPostgres }, async (t) => {
  const { url, deleteEvents } = await openDatabase(t, [[1, 2]]);
  await execute(url, 'create view atelier.kept as select * from atelier.events_20260101');
  await assert.rejects(deleteEvents(9), /other objects depend on it/);
});
