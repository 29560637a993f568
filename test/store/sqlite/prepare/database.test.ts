import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { BASELINE } from '../../../../src/store/migrations/all.ts';
import { MIGRATION_TABLE } from '../../../../src/store/migrations/migrate.ts';
import { readMigrations } from '../../../../src/store/sqlite/prepare/database.ts';
import { isAtelierError } from '../../../datasets/fixtures.ts';

test('reads the migrations of a database, none of a new one, and rejects those of other versions', (t) => {
  const raw = new DatabaseSync(':memory:');
  t.after(() => raw.close());
  const read = () => readMigrations(raw, 'atelier.db');
  assert.deepEqual(read(), []);
  raw.exec('create table unrelated (id integer)');
  // The versions before the first release have no table of migrations.
  assert.throws(read, isAtelierError('state-unusable', /written by a development version/));
  raw.exec(
    `create table ${MIGRATION_TABLE} (name text); insert into ${MIGRATION_TABLE} values ('${BASELINE}')`,
  );
  assert.deepEqual(read(), [BASELINE]);
  raw.exec(`insert into ${MIGRATION_TABLE} values ('9999-later')`);
  assert.throws(
    read,
    isAtelierError('state-unusable', /^atelier\.db was written by a newer version .*9999-later/),
  );
});
