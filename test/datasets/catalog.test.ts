import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCatalog, listDatasetIds } from '../../src/datasets/catalog.ts';
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';
import { catalogOf } from '../support/catalog.ts';

const summary = (id: string): DatasetSummary => ({
  id,
  name: null,
  createdAt: '2026-11-26T00:00:00.000Z',
  imageShape: [28, 28],
  classNames: ['a', 'b'],
  splits: {
    train: { examples: 2, examplesPerClass: [1, 1] },
    test: { examples: 2, examplesPerClass: [1, 1] },
  },
  digest: `sha256:${id}`,
  preprocessing: null,
  report: null,
});

test('finds data sets that other processes have added, and drops removed ones', async () => {
  let stored = [summary('dst_1')];
  let listings = 0;
  const catalog = createCatalog({
    uploaded: stored,
    async list() {
      listings += 1;
      return stored;
    },
    load: () => Promise.reject(new Error('Nothing is loaded.')),
    admit() {},
    maxBytes: 0,
  });
  assert.equal((await catalog.find('dst_1'))?.id, 'dst_1');
  assert.equal(listings, 0, 'a known data set is not looked for');
  stored = [summary('dst_2')];
  const found = await Promise.all([catalog.find('dst_2'), catalog.find('dst_2'), catalog.find('dst_3')]);
  assert.deepEqual(
    found.map((each) => each?.id),
    ['dst_2', 'dst_2', undefined],
  );
  assert.equal(listings, 1, 'concurrent searches share one listing');
  assert.deepEqual(
    catalog.list().map(({ id }) => id),
    ['dst_2'],
  );
});

test('a change during a listing is found by the next listing', async () => {
  const begun = Promise.withResolvers<void>();
  const answers = [Promise.withResolvers<DatasetSummary[]>(), Promise.withResolvers<DatasetSummary[]>()];
  let listings = 0;
  const catalog = createCatalog({
    uploaded: [],
    list() {
      begun.resolve();
      return answers[listings++]!.promise;
    },
    load: () => Promise.reject(new Error('Nothing is loaded.')),
    admit() {},
    maxBytes: 0,
  });
  const first = catalog.refresh();
  await begun.promise;
  const second = catalog.refresh();
  answers[0]!.resolve([]);
  await first;
  answers[1]!.resolve([summary('dst_1')]);
  await second;
  assert.equal(catalog.summary('dst_1')?.id, 'dst_1');
});

test('an error of a load is thrown, unless the data set has been removed in the meantime', async () => {
  const loading = Promise.withResolvers<never>();
  const catalog = createCatalog({
    uploaded: [summary('dst_1')],
    load: () => loading.promise,
    admit() {},
    maxBytes: 0,
  });
  const failing = assert.rejects(catalog.get('dst_1'), /is gone/);
  loading.reject(new Error('The file is gone.'));
  await failing;
  const removed = catalog.get('dst_1');
  catalog.remove('dst_1');
  assert.equal(await removed, undefined);
});

test('the tensors of a data set that is removed, or listed no more, are not kept', async () => {
  const none = { pixels: new Uint8Array(0), labels: new Uint8Array(0) };
  let stored = ['dst_1', 'dst_2', 'dst_3', 'dst_4'].map(summary);
  const catalog = createCatalog({
    builtIn: [summary('built-in')],
    uploaded: stored,
    list: async () => stored,
    load: async () => ({ train: none, validation: null, learning: none, test: none }),
    admit() {},
    maxBytes: 1e9,
  });
  for (const { id } of catalog.list()) await catalog.get(id);
  const each = catalog.loadedBytes('dst_1');
  assert.equal(catalog.cache.bytes(), 5 * each);
  catalog.remove('dst_1');
  assert.equal(catalog.cache.bytes(), 4 * each);
  stored = ['dst_2', 'dst_3'].map(summary);
  await catalog.refresh();
  assert.equal(catalog.cache.bytes(), 3 * each);
  assert.deepEqual(
    catalog.list().map(({ id }) => id),
    ['dst_2', 'dst_3', 'built-in'],
  );
  assert.equal(await catalog.get('dst_4'), undefined);
});

test('a catalogue without data sets lists none, and finds none', async () => {
  const catalog = catalogOf();
  assert.equal(listDatasetIds(catalog), 'none');
  assert.equal(await catalog.get('dst_1'), undefined);
});

test('lists built-in data sets last, with the examples of each class', async () => {
  const split = { pixels: new Uint8Array(12), labels: Uint8Array.of(0, 1, 1) };
  const { id, imageShape, classNames, digest } = { ...summary('built-in'), imageShape: [2, 2] as const };
  const tensors = { train: split, validation: null, learning: split, test: split };
  const builtIn = { id, imageShape, classNames, digest, ...tensors };
  const catalog = catalogOf(builtIn);
  assert.deepEqual(catalog.summary(id)?.splits.train, { examples: 3, examplesPerClass: [1, 2] });
  assert.deepEqual(await catalog.get(id), builtIn);
  for (let n = 1; n < 10; n++) catalog.add(summary(`dst_${n}`));
  catalog.add({ ...summary('dst_5'), name: 'changed' });
  assert.equal(catalog.summary('dst_5')?.name, 'changed');
  const ids = 'dst_5, dst_9, dst_8, dst_7, dst_6, dst_4, dst_3, dst_2, ';
  assert.equal(listDatasetIds(catalog), `${ids}dst_1, built-in`);
  catalog.add(summary('dst_10'));
  assert.equal(listDatasetIds(catalog), `dst_10, ${ids.slice(0, -7)}…, built-in`);
  assert.deepEqual([catalog.loadedBytes(id), catalog.loadedBytes('dst_0')], [6 * 5, 0]);
  // The pixels of 28 × 28 and the label of each of four images.
  assert.equal(catalog.loadedBytes('dst_1'), 4 * 785);
});
