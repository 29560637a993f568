import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStateDirectory } from '../../../src/store/transfer/state-directory.ts';
import { insertRows, isEmpty, lastKey, readPages, TABLES } from '../../../src/store/transfer/tables.ts';
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

test('rows are read in pages, in the order of their key, after the one that was read last', async (t) => {
  const { db, close } = await openStateDirectory(await temporaryDirectory(t), false);
  t.after(close);
  assert.deepEqual([await isEmpty(db), await lastKey(db, 'answers')], [true, undefined]);
  assert.deepEqual(await Array.fromAsync(readPages(db, 'answers', ['key'])), []);
  // The keys of each caller ascend by bytes: 000, 001, …
  const answers = Array.from({ length: 1000 }, (_, n) => ({
    caller: n < 600 ? 'a' : 'b',
    key: String(n).padStart(3, '0'),
    ...{ fingerprint: '', created_at: '', status: 200, location: null, content_type: '', body: '' },
  }));
  await insertRows(db, 'answers', answers.slice(0, 500).toReversed());
  await insertRows(db, 'answers', answers.slice(500));
  assert.deepEqual([await isEmpty(db), await lastKey(db, 'answers')], [false, ['b', '999']]);
  const read = async (after?: string[]) => {
    const pages = await Array.fromAsync(readPages(db, 'answers', ['caller', 'key'], after));
    return [pages.map((page) => page.length), pages.flat().map(({ key }) => key)];
  };
  const keys = answers.map(({ key }) => key);
  assert.deepEqual(await read(), [[500, 500], keys]);
  assert.deepEqual(await read(['a', '100']), [[500, 399], keys.slice(101)]);
  assert.deepEqual(await read(['b', '999']), [[], []]);
});
