import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { withoutPostgres } from '../../support/servers/postgres.ts';
import { addCleanup } from '../../support/start-service.ts';
import { newJob, temporaryDirectory } from '../fixtures.ts';
import { sharedDatabase } from './blob-database.ts';

test('starts during a backup of the database, without the partitions that it cannot create', {
  skip: withoutPostgres,
}, async (t) => {
  const url = await sharedDatabase(t);
  const backup = new pg.Client({ connectionString: url });
  await backup.connect();
  addCleanup(t, () => backup.end());
  const { rows } = await backup.query(
    `select max(relname) as newest from pg_class where relkind = 'r' and relispartition and relname ~ '^events_[0-9]+$'`,
  );
  await backup.query(`drop table atelier.${rows[0].newest}`);
  // The locks of pg_dump.
  await backup.query('begin; lock table atelier.events, atelier.metrics in access share mode');
  const warnings: string[] = [];
  const log = { info() {}, warn: (message: string) => void warnings.push(message) };
  const store = await openPostgresStore({ url, directory: await temporaryDirectory(t), log });
  addCleanup(t, store.close);
  assert.match(warnings.join(), /partitions/);
  assert.equal((await store.events.list(await newJob(store, 'queued'), { limit: 2 })).data.length, 1);

  await backup.query('commit');
  for (const task of store.hourlyTasks) await task(new AbortController().signal);
  assert.equal((await backup.query(`select from atelier.${rows[0].newest}`)).rowCount, 0);
});
