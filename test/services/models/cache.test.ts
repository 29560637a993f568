import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  createModelCache,
  MAX_BYTES,
  MAX_LOADED,
  type ModelCache,
} from '../../../src/services/models/cache.ts';
import type { LoadedModel } from '../../../src/services/models/loaded-version.ts';
import { createForward } from '../../../src/workers/kernel/compile.ts';
import { dense } from '../../support/dense.ts';

const classNames = Array.from({ length: 10 }, (_, label) => `${label}`);

function modelOf(name: string, version: number, hidden = 1): LoadedModel {
  const parameters = new Float32Array(785 * hidden + (hidden + 1) * 10);
  const network = {
    reference: { name, version },
    architecture: dense([784, hidden, 10]),
    activation: 'relu',
    standardization: null,
    parameters,
    classNames,
    datasetId: null,
    preprocessing: null,
  } as const;
  return { ...network, forward: createForward(network), multiplyAdds: 0 };
}

const put = (cache: ModelCache, name: string, version: number, hidden?: number) =>
  cache.beginLookup(name, version)({ name, version }, async () => modelOf(name, version, hidden));

/** Size of a cache that holds only a model with this many hidden units. */
async function bytesOf(hidden: number): Promise<number> {
  const cache = createModelCache();
  await put(cache, 'a', 1, hidden);
  return cache.counts().bytes;
}

test('evicts the least recently used models by bytes', async () => {
  const [small, large] = [await bytesOf(1), await bytesOf(512)];
  assert.ok(large > 2 * 4 * 785 * 512, 'its parameters, and as the kernel has them');
  const cache = createModelCache({ maxBytes: 2 * small + large });
  for (const name of ['a', 'b', 'c']) await put(cache, name, 1);
  assert.ok(cache.find('a', 1));
  await put(cache, 'd', 1, 512);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((name) => cache.find(name, 1) !== undefined),
    [true, false, true, true],
  );
  const { evictions, models, bytes } = cache.counts();
  assert.deepEqual([evictions, models, bytes], [1, 3, 2 * small + large]);
});

test('a model that was found last is not found again once it is evicted or deleted', async () => {
  const cache = createModelCache();
  const remove = [
    () => cache.evict(cache.bytes()),
    () => cache.invalidate([{ name: 'a', version: 1 }]),
    () => cache.doubt('a'),
  ];
  for (const withdraw of remove) {
    await put(cache, 'a', 1);
    assert.ok(cache.find('a', 1));
    assert.equal(cache.find('a', 1), cache.find('a', 1));
    withdraw();
    assert.equal(cache.find('a', 1), undefined, `${withdraw}`);
  }
});

test('holds up to 256 models and 256 MiB by default, or as many as it is given', async () => {
  assert.deepEqual([MAX_LOADED, MAX_BYTES], [256, 268_435_456]);
  const cache = createModelCache({ maxLoaded: 2 });
  for (const name of ['a', 'b', 'c']) await put(cache, name, 1);
  assert.deepEqual([cache.find('a', 1), cache.counts().models, cache.counts().evictions], [undefined, 2, 1]);
});

test('keeps a single model above the limit', async () => {
  const cache = createModelCache({ maxBytes: (await bytesOf(512)) - 1 });
  await put(cache, 'a', 1);
  await put(cache, 'large', 1, 512);
  assert.ok(cache.find('large', 1));
  assert.equal(cache.find('a', 1), undefined);
});

test('caches name resolution until it is invalidated', async () => {
  const cache = createModelCache();
  const found = { name: 'a', version: 2 };
  await cache.beginLookup('a', 'best')(found, async () => modelOf('a', 2));
  assert.equal(cache.find('a', 'best')?.reference.version, 2);
  assert.equal(cache.find('a'), undefined, 'the name alone was not looked up');
  cache.invalidate([]);
  assert.equal(cache.find('a', 'best'), undefined);
  assert.ok(cache.find('a', 2), 'a version is the same for ever');
  cache.invalidate([found]);
  assert.equal(cache.find('a', 2), undefined);
});

test('a lookup started before an invalidation is not cached', async () => {
  const cache = createModelCache();
  const load = cache.beginLookup('a', 'best');
  cache.invalidate([]);
  const model = await load({ name: 'a', version: 1 }, async () => modelOf('a', 1));
  assert.equal(model.reference.version, 1, 'a lookup that began before still gets the model');
  assert.deepEqual([cache.find('a', 'best'), cache.find('a', 1)], [undefined, undefined]);
});

test('a version deleted while it is read serves that request and is not cached', async () => {
  const cache = createModelCache();
  const { promise, resolve } = Promise.withResolvers<LoadedModel>();
  const reading = cache.beginLookup('a', 1)({ name: 'a', version: 1 }, () => promise);
  cache.invalidate([{ name: 'a', version: 1 }]);
  resolve(modelOf('a', 1));
  assert.equal((await reading).reference.version, 1);
  assert.equal(cache.find('a', 1), undefined);
});

test('retries a failed read', async () => {
  const cache = createModelCache();
  const found = { name: 'a', version: 1 };
  const broken = new Error('no such file');
  const fail = () => Promise.reject(broken);
  const both = [cache.beginLookup('a', 1)(found, fail), cache.beginLookup('a', 1)(found, fail)];
  for (const reading of both) await assert.rejects(reading, broken);
  await setImmediate();
  assert.equal((await put(cache, 'a', 1)).reference.version, 1);
  assert.deepEqual([cache.counts().misses, cache.counts().hits], [2, 1]);
});

test('after a doubt, a model is found as outdated until it is looked up again', async () => {
  const cache = createModelCache();
  for (const name of ['a', 'b'])
    await cache.beginLookup(name, 'best')({ name, version: 1 }, async () => modelOf(name, 1));
  const found = (name: string) => [cache.find(name, 'best'), cache.find(name, 1)].map(Boolean);
  cache.doubt('a');
  assert.deepEqual(
    [found('a'), found('b')],
    [
      [false, false],
      [true, true],
    ],
  );
  cache.doubt();
  assert.deepEqual(
    [found('a'), found('b')],
    [
      [false, false],
      [false, false],
    ],
  );
  assert.equal(cache.findOutdated('a', 'best')?.reference.name, 'a');
  assert.equal(cache.findOutdated('b', 1)?.reference.name, 'b');
  assert.equal(cache.findOutdated('a'), undefined);
  const { hits } = cache.counts();
  await cache.beginLookup('a', 'best')({ name: 'a', version: 1 }, () => assert.fail());
  assert.deepEqual(
    [found('a'), found('b')],
    [
      [true, true],
      [false, false],
    ],
  );
  assert.equal(cache.counts().hits - hits, 3, 'a lookup that reads nothing, and two finds');
});

test('evicts the least recently used models until the bytes are freed', async () => {
  const cache = createModelCache();
  const size = await bytesOf(1);
  for (const name of ['a', 'b', 'c']) await put(cache, name, 1);
  cache.evict(0);
  assert.equal(cache.bytes(), 3 * size);
  cache.evict(size + 1);
  assert.equal(cache.bytes(), size);
  assert.ok(cache.find('c', 1));
  cache.evict(2 * size);
  assert.equal(cache.bytes(), 0);
});

test('frees the shared memory of evicted models', async () => {
  const cache = createModelCache();
  const large = async (name: string) => {
    const parameters = new Float32Array(new SharedArrayBuffer(2 ** 25));
    const model = { ...modelOf(name, 1), parameters };
    await cache.beginLookup(name, 1)({ name, version: 1 }, async () => model);
    return new WeakRef(parameters.buffer);
  };
  const memory = await large('a');
  cache.evict(cache.bytes());
  for (let turn = 0; turn < 3; turn++) await setImmediate();
  assert.equal(memory.deref(), undefined);
});
