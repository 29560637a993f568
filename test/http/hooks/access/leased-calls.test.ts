import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLeasedCalls } from '../../../../src/http/hooks/access/leased-calls.ts';

const MINUTE_MS = 60_000;
const MAX = 6;

/** Calls that are leased from a limit in memory, as many as are wanted while there are any. */
function createCounter() {
  let used = 0;
  const leases = {
    async lease(_key: string, max: number, _replicas: number, wanted: number) {
      const calls = Math.min(wanted, max - used);
      used += calls;
      return { calls, used, remainingMs: MINUTE_MS };
    },
  };
  const Store = createLeasedCalls({ leases, replicas: () => 1 }, assert.ifError);
  const store = new Store({});
  const count = (key: string) =>
    new Promise<{ current: number; ttl: number }>((resolve, reject) => {
      store.incr(key, (error, result) => (error ? reject(error) : resolve(result!)), MINUTE_MS, MAX);
    });
  return { count, used: () => used };
}

test('counts the calls of a key up to its limit, and every further one as beyond it', async () => {
  const { count, used } = createCounter();
  const counts: number[] = [];
  for (let call = 0; call < MAX + 3; call++) {
    const { current, ttl } = await count('reader');
    counts.push(current);
    assert.ok(ttl > 0 && ttl <= MINUTE_MS, `${ttl}`);
  }
  assert.deepEqual(counts, [1, 2, 3, 4, 5, 6, MAX + 1, MAX + 1, MAX + 1]);
  assert.equal(used(), MAX, 'no call beyond the limit is leased');
});
