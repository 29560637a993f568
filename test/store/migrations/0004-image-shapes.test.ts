/** A state of before images had shapes and models convolutions. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { sql } from 'kysely';
import { type Migrations, migrations } from '../../../src/store/migrations/all.ts';
import { connectPostgres } from '../../../src/store/postgres/connect.ts';
import { migratePostgres } from '../../../src/store/postgres/migrate.ts';
import { migrations as postgresMigrations } from '../../../src/store/postgres/migrations/all.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { prepareDatabase } from '../../../src/store/sqlite/prepare/database.ts';
import { temporaryDatabase, withoutPostgres } from '../../support/servers/postgres.ts';
import { addDataset, publish, temporaryDirectory, trained } from '../fixtures.ts';

const NAME = '0004-image-shapes';
const olderThan = (all: Migrations): Migrations =>
  Object.fromEntries(Object.entries(all).filter(([name]) => name < NAME));

/** The columns of every table, in their order. */
function columnsOf(file: string): string[] {
  const raw = new DatabaseSync(file, { readOnly: true });
  const rows = raw
    .prepare(
      `select m.name || '.' || c.name as name from sqlite_master m join pragma_table_info(m.name) c
      where m.type = 'table' order by m.name, c.cid`,
    )
    .all();
  raw.close();
  return rows.map(({ name }) => String(name));
}

test('data sets and versions of before have the default shape, versions no convolutions, and nothing else changes', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  const dataset = await addDataset(store, 'dst_old');
  await publish(store, 'old');
  const version = await store.models.version('old', 1);
  await store.close();
  const file = join(directory, 'atelier.sqlite');
  const raw = new DatabaseSync(file);
  raw.exec(`alter table datasets drop column image_shape;
    alter table model_versions drop column input_shape;
    alter table model_versions drop column convolutions;
    alter table model_versions drop column norm;
    drop index versions_by_calibration;
    alter table model_versions drop column calibration;
    alter table model_versions drop column calibration_digest;
    alter table prediction_jobs drop column coverage;
    alter table prediction_jobs drop column unsure;
    delete from kysely_migration where name >= '${NAME}'`);
  raw.close();
  // The same schema as the release before wrote.
  const old = join(directory, 'old.sqlite');
  await prepareDatabase(old, () => {}, olderThan(migrations));
  assert.deepEqual(columnsOf(file), columnsOf(old));

  const opened = await openStore(directory);
  t.after(() => opened.close());
  const [found] = await opened.datasets.list();
  assert.deepEqual(found, { ...dataset.dataset, imageShape: [28, 28] });
  assert.deepEqual(await opened.models.version('old', 1), { ...version, inputShape: [28, 28] });
  assert.deepEqual(version!.inputShape, trained.inputShape);
  assert.ok((await readdir(directory)).includes('before-0004.sqlite'));
});

test('rows that the release before writes meanwhile have the default shape', {
  skip: withoutPostgres,
}, async (t) => {
  const url = await temporaryDatabase(t);
  await migratePostgres(url, () => {}, olderThan(postgresMigrations));
  const db = await connectPostgres({ url });
  t.after(() => db.destroy());
  // The rows refer to no files.
  await sql`alter table atelier.datasets drop constraint datasets_blob`.execute(db);
  const insert = (id: string) =>
    sql`insert into atelier.datasets (id, created_at, class_names, splits, digest, report)
      values (${id}, 'now', '[]', '{}', 'sha256:0', '{}')`.execute(db);
  await insert('before');
  await migratePostgres(url, () => {});
  await insert('after');
  const { rows } = await sql`select id, image_shape from atelier.datasets order by id`.execute(db);
  assert.deepEqual(rows, [
    { id: 'after', image_shape: '[28,28]' },
    { id: 'before', image_shape: '[28,28]' },
  ]);
});
