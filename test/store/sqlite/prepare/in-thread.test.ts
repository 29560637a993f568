import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { migrations } from '../../../../src/store/migrations/all.ts';
import { prepareInThread } from '../../../../src/store/sqlite/prepare/in-thread.ts';
import { failure, temporaryDirectory } from '../../fixtures.ts';

test('a database is migrated in a thread, which reports its steps, or rejected with advice', async (t) => {
  const directory = await temporaryDirectory(t);
  const [file, damaged] = [join(directory, 'atelier.sqlite'), join(directory, 'damaged.sqlite')];
  new DatabaseSync(file).close();
  await writeFile(damaged, 'x'.repeat(4096));
  const reports: unknown[] = [];
  const rejected = assert.rejects(
    prepareInThread(damaged, () => {}),
    failure('state-unusable', damaged, 'not a database', 'Restore it from a backup'),
  );
  await prepareInThread(file, (message, fields) => reports.push([message, fields]));
  await rejected;
  const names = Object.keys(migrations);
  assert.deepEqual(reports.slice(0, 2), [
    ['checking the database', { bytes: 0 }],
    ['migrating the database', { migrations: names }],
  ]);
  assert.equal(reports.length, 2 + names.length);
});
