import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStateDirectory } from '../../../src/store/transfer/state-directory.ts';
import { TABLES } from '../../../src/store/transfer/tables.ts';
import { temporaryDirectory } from '../fixtures.ts';

test('every table is transferred, except the tables of a running service', async (t) => {
  const directory = await openStateDirectory(await temporaryDirectory(t), false);
  t.after(directory.close);
  const tables = await directory.db.introspection.getTables();
  const left = ['transfers'];
  assert.deepEqual(
    tables
      .map(({ name }) => name)
      .filter((name) => !left.includes(name))
      .sort(),
    TABLES.toSorted(),
  );
});
