import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { BASELINE } from '../../../../src/store/migrations/all.ts';
import { MIGRATION_TABLE } from '../../../../src/store/migrations/migrate.ts';
import { openConnection, readMigrations } from '../../../../src/store/sqlite/prepare/database.ts';
import { isAtelierError } from '../../../datasets/fixtures.ts';
import { openFiles, temporaryDirectory } from '../../fixtures.ts';

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

test('a connection has a log, syncs each commit, checks references and waits 5 s for others', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'atelier.sqlite');
  using raw = openConnection(file);
  const read = (name: string) => Object.values(raw.prepare(`pragma ${name}`).get()!)[0];
  assert.deepEqual(['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout'].map(read), [
    'wal',
    2,
    1,
    5000,
  ]);
  const text = join(directory, 'notes.txt');
  await writeFile(text, 'notes, no database'.padEnd(4096, '.'));
  assert.throws(() => openConnection(text), /not a database/);
  assert.deepEqual(
    openFiles(directory).filter((path) => path === text),
    [],
  );
});
