import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { copyBeforeMigration } from '../../../../src/store/sqlite/backup/before-migration.ts';
import { failure, temporaryDirectory } from '../../fixtures.ts';

test('a copy that fails leaves no part of it, and the earlier copy', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'atelier.sqlite');
  const raw = new DatabaseSync(file);
  t.after(() => raw.close());
  raw.exec('create table notes (text)');
  const copy = await copyBeforeMigration(raw, file, '0022-searches');
  assert.equal(copy, join(directory, 'before-0022.sqlite'));
  t.mock.method(raw, 'prepare', () => ({
    // Both the number of pages and their size.
    get: () => ({ value: 3 }),
    run(target: string) {
      writeFileSync(target, 'a part');
      throw new Error('as the disk says');
    },
  }));
  await assert.rejects(copyBeforeMigration(raw, file, '0022-searches', 9), /as the disk says/);
  assert.deepEqual(readdirSync(directory).toSorted(), ['atelier.sqlite', 'before-0022.sqlite']);
  await assert.rejects(
    copyBeforeMigration(raw, file, '0022-searches', 8),
    failure('storage-full', 'needs 9 bytes', '8 bytes free'),
  );
});

test('the two newest copies are kept', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'atelier.sqlite');
  const raw = new DatabaseSync(file);
  t.after(() => raw.close());
  writeFileSync(join(directory, 'before-migration.sqlite'), '');
  for (const name of ['0001-a', '0003-c', '0002-b']) await copyBeforeMigration(raw, file, name);
  const copies = readdirSync(directory).filter((name) => /^before-\d/.test(name));
  assert.deepEqual(copies.toSorted(), ['before-0002.sqlite', 'before-0003.sqlite']);
  assert.ok(readdirSync(directory).includes('before-migration.sqlite'));
});
