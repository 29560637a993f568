import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLeases } from '../../../../src/store/postgres/replicas/rate-leases.ts';
import { execute, withoutPostgres } from '../../../support/servers/postgres.ts';
import { blobDatabase } from '../blob-database.ts';

test('replicas lease half of the calls that are left, by their number, and never more than the limit', {
  skip: withoutPostgres,
}, async (t) => {
  const { db, url } = await blobDatabase(t);
  const { lease, removeExpired } = createRateLeases(db);
  const take = async (key: string, limit: number, replicas: number, wanted: number) => {
    const { calls, used, remainingMs } = await lease(key, limit, replicas, wanted);
    assert.ok(remainingMs > 0 && remainingMs <= 60_000, `${remainingMs}`);
    return [calls, used];
  };
  // ⌊100 / 4⌋ = 25, ⌊75 / 4⌋ = 18, then as many as are wanted, then ⌊52 / 2⌋ = 26
  assert.deepEqual(await take('a', 100, 2, 50), [25, 25]);
  assert.deepEqual(await take('a', 100, 2, 50), [18, 43]);
  assert.deepEqual(await take('a', 100, 2, 5), [5, 48]);
  assert.deepEqual(await take('a', 100, 1, 50), [26, 74]);
  assert.deepEqual(await take('b', 100, 2, 3), [3, 3], 'each key has its own calls');
  // At least one, until all calls are leased.
  for (const leased of [
    [1, 1],
    [1, 2],
    [1, 3],
    [0, 3],
  ])
    assert.deepEqual(await take('c', 3, 2, 5), leased);
  assert.deepEqual(await take('a', 50, 1, 50), [0, 74], 'the limit was lowered');

  const age = (key: string, seconds: number) =>
    `update atelier.limits set window_start = window_start - interval '${seconds} s' where key = '${key}'`;
  await execute(url, age('a', 60), age('b', 30));
  assert.deepEqual(await take('a', 100, 2, 50), [25, 25], 'a new window');
  const { remainingMs } = await lease('b', 100, 2, 3);
  assert.ok(remainingMs <= 30_000, `${remainingMs}`);
  await execute(url, age('c', 60));
  await removeExpired();
  const rows = await db
    .withTables<{ limits: { key: string } }>()
    .selectFrom('limits')
    .select('key')
    .execute();
  assert.deepEqual(rows.map(({ key }) => key).toSorted(), ['a', 'b']);
});
