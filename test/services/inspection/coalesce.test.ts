import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCoalescingCache } from '../../../src/services/inspection/coalesce.ts';

const forever = new AbortController().signal;

/** A computation that the test ends, with a record of its calls and their signals. */
function controlledComputation() {
  const begun: { signal: AbortSignal; end: PromiseWithResolvers<object> }[] = [];
  const compute = (signal: AbortSignal) => {
    const end = Promise.withResolvers<object>();
    signal.addEventListener('abort', () => end.reject(signal.reason));
    begun.push({ signal, end });
    return end.promise;
  };
  return { begun, compute };
}

test('concurrent and later callers share one computation', async () => {
  const share = createCoalescingCache<object>(2);
  const { begun, compute } = controlledComputation();
  const asked = [share('a', forever, compute), share('a', forever, compute)];
  const answer = {};
  begun[0]!.end.resolve(answer);
  for (const each of [...asked, share('a', forever, compute)]) assert.equal(await each, answer);
  assert.equal(await share('a', forever, compute), answer);
  assert.equal(begun.length, 1);
  assert.ok(!begun[0]!.signal.aborted);
});

test('other keys are computed separately, and the least recently used is evicted', async () => {
  const share = createCoalescingCache<{ key: string }>(2);
  const computed: string[] = [];
  const ask = (key: string) =>
    share(key, forever, async () => {
      computed.push(key);
      return { key };
    });
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) assert.deepEqual(await ask(key), { key });
  assert.deepEqual(computed, ['a', 'b', 'c', 'b']);
});

test('an aborted caller is released immediately, and the computation continues for the others', async () => {
  const share = createCoalescingCache<object>(2);
  const { begun, compute } = controlledComputation();
  const leaving = new AbortController();
  const [left, stays] = [share('a', leaving.signal, compute), share('a', forever, compute)];
  leaving.abort(new Error('left'));
  await assert.rejects(left, /left/);
  assert.ok(!begun[0]!.signal.aborted);
  const answer = {};
  begun[0]!.end.resolve(answer);
  assert.equal(await stays, answer);
});

test('the computation is aborted with its last caller, and a later caller starts a new one', async () => {
  const share = createCoalescingCache<object>(2);
  const { begun, compute } = controlledComputation();
  const leaving = new AbortController();
  const left = [share('a', leaving.signal, compute), share('a', leaving.signal, compute)];
  leaving.abort(new Error('left'));
  for (const each of left) await assert.rejects(each, /left/);
  assert.ok(begun[0]!.signal.aborted);
  const again = share('a', forever, compute);
  const answer = {};
  begun[1]!.end.resolve(answer);
  assert.equal(await again, answer);
  assert.equal(begun.length, 2);
});

test('an already aborted caller starts nothing', async () => {
  const share = createCoalescingCache<object>(2);
  const { begun, compute } = controlledComputation();
  await assert.rejects(share('a', AbortSignal.abort(new Error('left')), compute), /left/);
  assert.equal(begun.length, 0);
});

test('a failure reaches all callers and is not cached', async () => {
  const share = createCoalescingCache<object>(2);
  const { begun, compute } = controlledComputation();
  const asked = [share('a', forever, compute), share('a', forever, compute)];
  begun[0]!.end.reject(new Error('failed'));
  for (const each of asked) await assert.rejects(each, /failed/);
  const again = share('a', forever, compute);
  begun[1]!.end.resolve({});
  assert.deepEqual(await again, {});
});

test('a result is known once it is computed, until it is evicted', async () => {
  const share = createCoalescingCache<object>(1);
  const { begun, compute } = controlledComputation();
  const asked = share('a', forever, compute);
  assert.equal(share.has('a'), false);
  begun[0]!.end.resolve({});
  await asked;
  assert.equal(share.has('a'), true);
  await share('b', forever, async () => ({}));
  assert.deepEqual([share.has('a'), share.has('b')], [false, true]);
  const none = createCoalescingCache<object>(0);
  await none('a', forever, async () => ({}));
  assert.equal(none.has('a'), false);
});
