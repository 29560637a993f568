import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCatalog } from '../../src/datasets/catalog.ts';
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';

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
  const catalog = createCatalog([], {
    summaries: stored,
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
  const catalog = createCatalog([], {
    summaries: [],
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
