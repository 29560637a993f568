import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { digestState } from '../../../src/store/transfer/state-digest.ts';
import { openStateDirectory } from '../../../src/store/transfer/state-directory.ts';
import { TABLES, transferredColumns } from '../../../src/store/transfer/tables.ts';
import { temporaryDirectory } from '../fixtures.ts';

/** The database of an empty directory with models of these names. */
async function openWithModels(t: TestContext, ...names: readonly string[]) {
  const { db, close } = await openStateDirectory(await temporaryDirectory(t), false);
  t.after(close);
  for (const name of names)
    await db.insertInto('models').values({ name, created_at: '', last_version: 1, alias_moves: 0 }).execute();
  return db;
}

test('the digest of a state depends on its rows, not on their order or their database', async (t) => {
  const [one, same, other] = [
    await openWithModels(t, 'a', 'b'),
    await openWithModels(t, 'b', 'a'),
    await openWithModels(t, 'a', 'c'),
  ];
  const columns = await transferredColumns(one);
  const { digest, rows } = await digestState(one, columns);
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual([...rows.keys()], TABLES);
  assert.deepEqual(
    [...rows.values()],
    TABLES.map((table) => (table === 'models' ? 2 : 0)),
  );
  assert.deepEqual(await digestState(same, columns), { digest, rows });
  assert.notEqual((await digestState(other, columns)).digest, digest);
  await other.updateTable('models').set({ name: 'b' }).where('name', '=', 'c').execute();
  assert.deepEqual(await digestState(other, columns), { digest, rows });
});

test('the digest of a state depends on the columns, also of a table without rows', async (t) => {
  const db = await openWithModels(t);
  const columns = await transferredColumns(db);
  const { digest } = await digestState(db, columns);
  const fewer = new Map(columns).set('looks', columns.get('looks')!.slice(1));
  assert.notEqual((await digestState(db, fewer)).digest, digest);
});
