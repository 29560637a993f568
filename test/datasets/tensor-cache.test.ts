import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createTensorCache, tensorBytes } from '../../src/datasets/tensor-cache.ts';
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';

const summary = (id: string, examples = 1): DatasetSummary => ({
  id,
  name: null,
  createdAt: null,
  imageShape: [28, 28],
  classNames: ['a', 'b'],
  splits: {
    train: { examples, examplesPerClass: [] },
    test: { examples: 1, examplesPerClass: [] },
  },
  digest: '',
  preprocessing: null,
  report: null,
});
const none = { pixels: new Uint8Array(0), labels: new Uint8Array(0) };
const ONE = tensorBytes(summary('a'));

/** A cache with room for two data sets, and the list of loaded ids. */
function cacheOf(retained: readonly string[] = []) {
  const loaded: string[] = [];
  const cache = createTensorCache({
    load: async ({ id }) => {
      loaded.push(id);
      return { train: none, validation: null, learning: none, test: none };
    },
    admit: () => {},
    maxBytes: 2 * ONE,
  });
  for (const id of retained) cache.retain(id);
  const getAll = async (...ids: string[]) => {
    for (const id of ids) await cache.get(summary(id));
  };
  return { cache, loaded, getAll: getAll };
}

test('concurrent requests load a data set once', async () => {
  const { cache, loaded } = cacheOf();
  const [one, two] = await Promise.all([cache.get(summary('a')), cache.get(summary('a'))]);
  assert.equal(one, two);
  assert.equal(await cache.get(summary('a')), one);
  assert.deepEqual(loaded, ['a']);
  cache.remove('a');
  assert.notEqual(await cache.get(summary('a')), one);
});

test('evicts the least recently used data set', async () => {
  const { loaded, getAll } = cacheOf();
  await getAll('a', 'b', 'a', 'c', 'a', 'c', 'b');
  assert.deepEqual(loaded, ['a', 'b', 'c', 'b']);
});

test('keeps retained data sets, even above the limit', async () => {
  const { loaded, getAll } = cacheOf(['a', 'b']);
  await getAll('a', 'b', 'c', 'd', 'a', 'b', 'c');
  assert.deepEqual(loaded, ['a', 'b', 'c', 'd', 'c']);
});

test('keeps a data set above the limit until another is requested', async () => {
  const { cache, loaded, getAll } = cacheOf();
  for (const _ of [1, 2]) await cache.get(summary('large', 100));
  await getAll('a');
  await cache.get(summary('large', 100));
  assert.deepEqual(loaded, ['large', 'a', 'large']);
});

test('retries a failed load', async () => {
  let fails = true;
  const cache = createTensorCache({
    load: async () => {
      if (fails) throw new Error('damaged');
      return { train: none, validation: null, learning: none, test: none };
    },
    admit: () => {},
    maxBytes: ONE,
  });
  await assert.rejects(cache.get(summary('a')), /damaged/);
  fails = false;
  assert.ok(await cache.get(summary('a')));
});

test('counts and frees only data sets that no user retains', async () => {
  const { cache, loaded, getAll } = cacheOf();
  await getAll('a', 'b');
  {
    using _retained = cache.retain('a');
    assert.equal(cache.bytes(), ONE);
    cache.evict(2 * ONE);
    assert.equal(cache.bytes(), 0);
    await getAll('a');
  }
  assert.equal(cache.bytes(), ONE);
  await getAll('b');
  assert.deepEqual(loaded, ['a', 'b', 'b']);
});

test('checks the memory for each data set that is not retained, and does not cache a rejection', async () => {
  let isFull = true;
  const cache = createTensorCache({
    load: async () => ({ train: none, validation: null, learning: none, test: none }),
    admit: () => {
      if (isFull) throw new Error('no memory');
    },
    maxBytes: ONE,
  });
  await assert.rejects(cache.get(summary('a')), /no memory/);
  assert.equal(cache.bytes(), 0);
  cache.retain('b');
  assert.ok(await cache.get(summary('b')));
  isFull = false;
  assert.ok(await cache.get(summary('a')));
});

test('frees the shared memory of evicted and removed data sets', async () => {
  const LARGE = 50_000;
  const loaded: WeakRef<SharedArrayBuffer>[] = [];
  const cache = createTensorCache({
    load: async (dataset) => {
      const memory = new SharedArrayBuffer(tensorBytes(dataset));
      loaded.push(new WeakRef(memory));
      const train = { pixels: new Uint8Array(memory), labels: none.labels };
      return { train, validation: null, learning: train, test: none };
    },
    admit: () => {},
    maxBytes: tensorBytes(summary('large', LARGE)),
  });
  async function countHeld(): Promise<number> {
    for (let turn = 0; turn < 3; turn++) await setImmediate();
    return loaded.filter((memory) => memory.deref() !== undefined).length;
  }
  for (const id of ['a', 'b', 'c']) await cache.get(summary(id, LARGE));
  assert.equal(await countHeld(), 1);
  cache.remove('c');
  assert.equal(await countHeld(), 0);
});

test('keeps a data set that a request uses above the limit, unless its memory is needed', async () => {
  const { cache, loaded, getAll } = cacheOf();
  {
    using _used = cache.use('a');
    await getAll('a', 'b', 'c', 'a');
    assert.deepEqual(loaded, ['a', 'b', 'c']);
    cache.evict(2 * ONE);
    assert.equal(cache.bytes(), 0);
  }
  await getAll('a', 'b', 'c', 'a');
  assert.deepEqual(loaded, ['a', 'b', 'c', 'a', 'b', 'c', 'a']);
});
