import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createLeasedCalls, type LeaseSource } from '../../../../src/http/hooks/access/leased-calls.ts';

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

type Lease = LeaseSource['leases']['lease'];

/** Calls at a time that the test sets, from 1 s after the start of the process. */
function createCalls(t: TestContext, lease: Lease, replicas = 3, max = 7) {
  const clock = { now: 1000 };
  t.mock.method(performance, 'now', () => clock.now);
  const asked: Parameters<Lease>[] = [];
  const failures: unknown[] = [];
  const leases = {
    lease: (...request: Parameters<Lease>) => {
      asked.push(request);
      return lease(...request);
    },
  };
  const onUnavailable = (error: unknown) => void failures.push(error);
  const store = new (createLeasedCalls({ leases, replicas: () => replicas }, onUnavailable))({});
  const call = async (key: string) => {
    const { promise, resolve } =
      Promise.withResolvers<readonly [current: number | undefined, ttl: number | undefined]>();
    store.incr(key, (_error, result) => resolve([result?.current, result?.ttl]), MINUTE_MS, max);
    return promise;
  };
  return { clock, asked, failures, call };
}

const unavailable = async () => {
  throw new Error('The database is away.');
};

test('a key leases twice as many calls as were served, or as many as are waiting', async (t) => {
  const lease = async (_key: string, _max: number, _replicas: number, calls: number) => ({
    calls,
    used: 40,
    remainingMs: MINUTE_MS,
  });
  const { asked, call } = createCalls(t, lease, 0, 100);
  for (let calls = 0; calls < 4; calls++) await call('a');
  await Promise.all(Array.from({ length: 6 }, () => call('b')));
  assert.deepEqual(asked, [
    ['a', 100, 1, 1],
    ['a', 100, 1, 2],
    ['a', 100, 1, 6],
    ['b', 100, 1, 1],
    ['b', 100, 1, 5],
  ]);
});

test('a window ends as long after the request for its lease as the database says', async (t) => {
  const { clock, asked, call } = createCalls(t, async () => {
    clock.now += 500;
    return { calls: 2, used: 5, remainingMs: 30_000 };
  });
  assert.deepEqual(await call('a'), [4, 29_500]);
  clock.now = 30_999;
  assert.deepEqual(await call('a'), [5, 1]);
  await call('b');
  clock.now = 31_000;
  assert.deepEqual(await call('a'), [4, 29_500], 'the calls of the window before do not count');
  assert.deepEqual(asked.at(-1), ['a', 7, 3, 1]);
});

test('without the database, a replica serves its part of the limit in each window', async (t) => {
  const { clock, failures, call } = createCalls(t, unavailable);
  assert.deepEqual(await call('a'), [6, MINUTE_MS]);
  assert.deepEqual(await call('a'), [7, MINUTE_MS]);
  assert.deepEqual(await call('a'), [8, MINUTE_MS]);
  assert.match(String(failures), /^Error: The database is away\.$/);
  clock.now += MINUTE_MS - 1;
  assert.deepEqual(await call('a'), [8, 1]);
  clock.now += 1;
  assert.deepEqual(await call('a'), [6, MINUTE_MS]);
});

test('a replica serves at least one call of a key, and all of them if it knows no other replica', async (t) => {
  for (const [replicas, served] of [
    [8, 1],
    [7, 1],
    [0, 7],
  ] as const) {
    const { call } = createCalls(t, unavailable, replicas);
    const counts: unknown[] = [];
    for (let calls = 0; calls <= served; calls++) counts.push((await call('a'))[0]);
    const expected = Array.from({ length: served + 1 }, (_, n) => 8 - served + n);
    assert.deepEqual(counts, expected, `${replicas} replicas`);
    t.mock.restoreAll();
  }
});

test('calls that were served before the database failed belong to the part of the replica', async (t) => {
  for (const [leased, expected] of [
    [1, [1, 7, 8]],
    [4, [1, 2, 3, 4, 8]],
  ] as const) {
    let isAway = false;
    const lease = async () => {
      if (isAway) return unavailable();
      isAway = true;
      return { calls: leased, used: leased, remainingMs: MINUTE_MS };
    };
    const { call } = createCalls(t, lease);
    const counts: unknown[] = [];
    for (const _ of expected) counts.push((await call('a'))[0]);
    assert.deepEqual(counts, expected);
    t.mock.restoreAll();
  }
});

test('a failed database is asked again after five seconds, and its failure is reported once', async (t) => {
  const { clock, asked, failures, call } = createCalls(t, unavailable);
  await Promise.all([call('a'), call('b')]);
  assert.deepEqual([asked.length, failures.length], [2, 1]);
  clock.now += 4999;
  await call('c');
  assert.deepEqual([asked.length, failures.length], [2, 1]);
  clock.now += 1;
  await call('d');
  assert.deepEqual([asked.length, failures.length], [3, 2]);
});

test('a call waits for the database for a second', async (t) => {
  const { failures, call } = createCalls(t, () => new Promise(() => {}));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let count: unknown;
  const called = call('a').then(([current]) => {
    count = current;
  });
  t.mock.timers.tick(999);
  await setImmediate();
  assert.equal(count, undefined);
  t.mock.timers.tick(1);
  await called;
  assert.equal(count, 6);
  assert.match(String(failures), /did not answer within 1000 ms/);
});
