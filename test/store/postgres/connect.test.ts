import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../../../src/store/database/tables.ts';
import { createStorePool, sendStatements, toDatabase } from '../../../src/store/postgres/connect.ts';
import { serverUrl, withoutPostgres } from '../../support/servers/postgres.ts';
import { failure } from '../fixtures.ts';

const options = { skip: withoutPostgres };

/** Connections to the database of the server itself. No table is needed. */
async function connect(t: TestContext, isCutOff?: () => boolean) {
  const pool = await createStorePool({ url: await serverUrl(), isCutOff });
  const db = toDatabase(pool);
  t.after(() => db.destroy());
  return { pool, db };
}

async function readSettings(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ setting: string }>`
    select current_setting(name) as setting
    from unnest(array['statement_timeout', 'idle_in_transaction_session_timeout']) as name`.execute(db);
  return rows.map(({ setting }) => setting);
}

test('a transaction has limits of time, which end with it', options, async (t) => {
  const { db } = await connect(t);
  const inTransaction = await db.transaction().execute((trx) => readSettings(trx as Kysely<Database>));
  assert.deepEqual(inTransaction, ['30s', '6s']);
  assert.deepEqual(await readSettings(db as Kysely<Database>), ['0', '0']);
});

test('counts are numbers', options, async (t) => {
  const { db } = await connect(t);
  const { rows } =
    await sql`select 2::int8 ^ 40 as power, count(*) as count from generate_series(1, 3)`.execute(db);
  assert.deepEqual(rows, [{ power: 2 ** 40, count: 3 }]);
});

test('several statements are sent at once, and the rows of all are returned', options, async (t) => {
  const send = sendStatements((await connect(t)).pool);
  assert.deepEqual(await send('select 1 as a; select 2 as a union all select 3'), {
    rows: [{ a: 1 }, { a: 2 }, { a: 3 }],
  });
  assert.deepEqual(await send('select $1::text as a', ['x']), { rows: [{ a: 'x' }] });
  await assert.rejects(send('select * from missing'), failure('state-unusable', 'npx atelier migrate'));
});

test('at most four connections are open at once', options, async (t) => {
  const { db } = await connect(t);
  const running = Array.from({ length: 6 }, () =>
    sql<{ pid: number }>`select pg_backend_pid() as pid, pg_sleep(0.02)`.execute(db),
  );
  const pids = (await Promise.all(running)).map(({ rows }) => rows[0]!.pid);
  assert.equal(new Set(pids).size, 4);
});

test('while the database is away, a missing reply is an error after three seconds', options, async (t) => {
  let isCutOff = false;
  const { db } = await connect(t, () => isCutOff);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const reply = db.connection().execute(async (connection) => {
    await sql`select 1`.execute(connection);
    const sleeping = sql`select pg_sleep(60)`.execute(connection);
    await new Promise(setImmediate);
    t.mock.timers.tick(3000);
    isCutOff = true;
    t.mock.timers.tick(2999);
    const pending = await Promise.race([
      sleeping,
      new Promise((resolve) => setTimeout(resolve, 10, 'pending')),
    ]);
    assert.equal(pending, 'pending');
    t.mock.timers.tick(1);
    const lost = failure('storage-unavailable', 'no reply');
    await assert.rejects(sleeping, lost);
    await assert.rejects(sql`select 1`.execute(connection), lost);
  });
  await reply;
  isCutOff = false;
  assert.deepEqual((await sql`select 1 as one`.execute(db)).rows, [{ one: 1 }]);
});
