import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { lockDirectory } from '../../../src/store/sqlite/lock.ts';
import { execute, withoutPostgres } from '../../support/servers/postgres.ts';
import { temporaryDirectory } from '../fixtures.ts';
import { sharedDatabase } from './blob-database.ts';

/** Opens a store without the partitions of the last week; the database refuses to create tables. */
async function openRefusing(t: TestContext, sqlState: string) {
  const url = await sharedDatabase(t);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    "select max(relname) as name from pg_class where relname ~ '^events_\\d{8}$'",
  );
  await client.end();
  const name = `atelier.${rows[0]!.name}`;
  await execute(
    url,
    `drop table ${name}`,
    `create function refuse() returns event_trigger language plpgsql
      as $$ begin raise exception 'refused' using errcode = '${sqlState}'; end $$`,
    "create event trigger refuse on ddl_command_start when tag in ('CREATE TABLE') execute function refuse()",
  );
  const directory = await temporaryDirectory(t);
  const warnings: string[] = [];
  const log = { info() {}, warn: (message: string) => void warnings.push(message) };
  return {
    url,
    name,
    directory,
    warnings,
    opened: openPostgresStore({ url, directory: directory, log }),
  };
}

test('a store opens while locks prevent the partitions of the next weeks', {
  skip: withoutPostgres,
}, async (t) => {
  const { url, name, warnings, opened } = await openRefusing(t, '55P03');
  const store = await opened;
  t.after(() => store.close());
  assert.deepEqual(warnings, ['tables are locked, so the partitions of the next weeks are created later']);
  await store.assertUsable();
  await execute(url, 'drop event trigger refuse');
  for (const task of store.hourlyTasks) await task(new AbortController().signal);
  await execute(url, `select from ${name}`);
});

test('a store does not open if the partitions cannot be created for another reason', {
  skip: withoutPostgres,
}, async (t) => {
  const { directory, opened } = await openRefusing(t, 'P0001');
  await assert.rejects(opened, /refused/);
  lockDirectory(directory).release();
});
