import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import { encodeTime } from 'ulid';
import { connectPostgres } from '../../../src/store/postgres/connect.ts';
import { migratePostgres } from '../../../src/store/postgres/migrate.ts';
import { migrations } from '../../../src/store/postgres/migrations/all.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { createPartitions } from '../../../src/store/postgres/partitions.ts';
import { execute, serverUrl, temporaryDatabase, withoutPostgres } from '../../support/servers/postgres.ts';
import { failure, temporaryDirectory } from '../fixtures.ts';

const options = { skip: withoutPostgres };

test('one of several processes migrates, and a second start changes nothing', options, async (t) => {
  const url = await temporaryDatabase(t);
  const reports: string[] = [];
  const start = () => migratePostgres(url, (message) => reports.push(message));
  await Promise.all([start(), start(), start()]);
  assert.equal(reports.filter((message) => message === 'migrating the database').length, 1);
  reports.length = 0;
  await start();
  assert.deepEqual(reports, []);
});

test('text is ordered by bytes in a database of another collation', options, async (t) => {
  const url = await temporaryDatabase(t, { collation: 'icu' });
  await migratePostgres(url);
  const db = await connectPostgres({ url });
  t.after(() => db.destroy());
  const names = ['a1', 'a_b', 'a-b', 'a.b', 'B'];
  for (const name of names) {
    await db.insertInto('models').values({ name, created_at: '', last_version: 1, alias_moves: 0 }).execute();
  }
  const rows = await db.selectFrom('models').select('name').orderBy('name').execute();
  assert.deepEqual(
    rows.map(({ name }) => name),
    names.toSorted(),
  );
});

test('an older release continues after additions, until it is too old', options, async (t) => {
  const url = await temporaryDatabase(t);
  await migratePostgres(url);
  await execute(url, `insert into atelier.kysely_migration values ('9998-addition', '')`);
  const newest = Object.keys(migrations).toSorted().at(-1);
  await execute(url, `update atelier.compatibility set oldest_release = '${newest}'`);
  await migratePostgres(url);
  await execute(url, `update atelier.compatibility set oldest_release = '9998-addition'`);
  await assert.rejects(migratePostgres(url), failure('state-unusable', 'newer release', '9998-addition'));
});

test('a database of a development version is rejected with advice', options, async (t) => {
  const url = await temporaryDatabase(t);
  await execute(url, 'create schema atelier', 'create table atelier.jobs (id text)');
  await assert.rejects(migratePostgres(url), failure('state-unusable', 'before 0.1.0', 'empty database'));
});

test('a failed migration is reported and changes nothing', options, async (t) => {
  const url = await temporaryDatabase(t);
  await migratePostgres(url);
  const up = async (db: Kysely<unknown>) => {
    await db.schema.createTable('sweeps').addColumn('id', 'text').execute();
    await sql`select 1 / 0`.execute(db);
  };
  const next = { ...migrations, '0007-next': { up } };
  await assert.rejects(
    migratePostgres(url, () => {}, next),
    /division by zero/,
  );
  await migratePostgres(url, () => {}, { ...migrations, '0007-next': { up: async () => {} } });
  await assert.rejects(execute(url, 'select * from atelier.sweeps'), /does not exist/);
});

test('both addresses must lead to the same database, and it must hold any text', options, async (t) => {
  const url = await temporaryDatabase(t);
  const directUrl = await temporaryDatabase(t);
  const directory = await temporaryDirectory(t);
  await assert.rejects(
    openPostgresStore({ url, directUrl, directory }),
    failure('invalid-configuration', 'different databases'),
  );
  const name = `latin_${url.slice(-8)}`;
  const server = await serverUrl();
  await execute(server, `create database ${name} template template0 encoding 'LATIN1' locale 'C'`);
  t.after(() => execute(server, `drop database ${name}`));
  await assert.rejects(
    migratePostgres(server.replace(/[^/]+$/, name)),
    failure('state-unusable', 'LATIN1', "encoding 'UTF8'"),
  );
});

test('a database that cannot be used is named with advice', options, async (t) => {
  const url = await temporaryDatabase(t);
  await assert.rejects(
    migratePostgres(url.replace(/[^/]+$/, 'missing')),
    failure('state-unusable', 'missing', 'Create the database'),
  );
  await assert.rejects(
    migratePostgres('postgres://user:secret@127.0.0.1:1/test'),
    (error: Error) => failure('storage-unavailable', 'ECONNREFUSED')(error) && !/secret/.test(error.message),
  );
  const role = `guest_${url.slice(-8)}`;
  const server = await serverUrl();
  await execute(server, `create role ${role} login`);
  t.after(() => execute(server, `drop role ${role}`));
  await assert.rejects(
    migratePostgres(url.replace('postgres@', `${role}@`)),
    failure('state-unusable', 'permission denied', 'grant create'),
  );
});

test('rows lie in the partition of the week of their job', options, async (t) => {
  const url = await temporaryDatabase(t);
  await migratePostgres(url);
  const db = await connectPostgres({ url });
  t.after(() => db.destroy());
  const insert = (job_id: string) =>
    db.insertInto('metrics').values({ job_id, epoch: 1, record: '{}' }).execute();
  const partitions = async () => {
    const found = await sql<{
      name: string;
    }>`select tableoid::regclass::text as name from atelier.metrics order by job_id`.execute(db);
    return found.rows.map(({ name }) => name);
  };
  const then = new Date('2036-11-13');
  const id = (suffix: string) => `job_${encodeTime(then.getTime())}000000000000000${suffix}`;
  // That week has no partition yet. Once it has a row, it gets none.
  await insert(id('0'));
  await createPartitions(db, then);
  await insert(id('1'));
  assert.deepEqual(await partitions(), ['atelier.metrics_default', 'atelier.metrics_default']);
  await execute(url, 'delete from atelier.metrics_default');
  await Promise.all([createPartitions(db, then), createPartitions(db, then)]);
  await insert(id('2'));
  assert.equal((await partitions()).length, 1);
  assert.match((await partitions())[0]!, /^atelier\.metrics_20\d{6}$/);
});

test('a server before version 15 is too old', async (t) => {
  let version = '14.9 (Debian)';
  class Pool {
    readonly options = {};
    on() {}
    async end() {}
    async connect() {
      const query = async () => ({ command: 'SELECT', rowCount: 1, rows: [{ version, encoding: 'UTF8' }] });
      return { query, release() {} };
    }
  }
  const { Pool: original } = pg;
  pg.Pool = Pool as unknown as typeof original;
  t.after(() => {
    pg.Pool = original;
  });
  const migrated = () => migratePostgres('postgres://server/database');
  await assert.rejects(migrated, failure('state-unusable', 'is PostgreSQL 14.9', 'Use version 15 or newer'));
  version = '15.0';
  // The answers of this server lack the migrations.
  await assert.rejects(migrated, failure('state-unusable', 'development version'));
});
