import assert from 'node:assert/strict';
import type { Store } from '../../../src/store/persistent-state.ts';
import { failure, temporaryStore, trained } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

async function publish(
  { models }: Store,
  name: string,
  changes: { testAccuracy?: number; datasetId?: string; metadata?: Record<string, string> } = {},
): Promise<number> {
  const imported = { source: 'npz' as const, fileDigest: 'sha256:f', rounded: 0, assumed: [] };
  const { version } = await models.publish({ ...trained, name, imported, metadata: {}, ...changes });
  return version;
}

async function readVersions({ models }: Store, query: object): Promise<number[]> {
  const read: number[] = [];
  for (let hasMore = true; hasMore; ) {
    const page = await models.versions('shoes', { ...query, limit: 2, after: read.at(-1) });
    read.push(...page.data.map(({ version }) => version));
    hasMore = page.hasMore;
  }
  return read;
}

async function readModels({ models }: Store, query: object): Promise<string[]> {
  const read: string[] = [];
  for (let hasMore = true; hasMore; ) {
    const page = await models.list({ ...query, limit: 2, after: read.at(-1) });
    read.push(...page.data.map(({ name }) => name));
    hasMore = page.hasMore;
  }
  return read;
}

storeTest('versions are filtered by data set and exact metadata, and sorted by accuracy', async (t) => {
  const store = await temporaryStore(t);
  const accuracies = [0.5, 0.875, 0.1, 0.875, 1 / 3];
  for (const [n, testAccuracy] of accuracies.entries()) {
    const metadata = { team: n % 2 ? 'vision' : 'Vision', note: '"team":"text"', 'a"team': 'text' };
    await publish(store, 'shoes', { testAccuracy, metadata, datasetId: n < 2 ? 'mnist' : 'own' });
  }
  assert.deepEqual(await readVersions(store, { sort: '-testAccuracy' }), [4, 2, 1, 5, 3]);
  assert.deepEqual(await readVersions(store, { sort: 'version' }), [1, 2, 3, 4, 5]);
  assert.deepEqual(await readVersions(store, { metadata: { team: 'vision' } }), [4, 2]);
  assert.deepEqual(await readVersions(store, { metadata: { team: 'text' } }), []);
  assert.deepEqual(
    await readVersions(store, { metadata: { note: '"team":"text"', team: 'Vision' } }),
    [5, 3, 1],
  );
  assert.deepEqual(await readVersions(store, { dataset: 'own', sort: '-testAccuracy' }), [4, 5, 3]);
  const { createdAt } = (await store.models.version('shoes', 3))!;
  assert.ok(!(await readVersions(store, { createdAfter: createdAt })).includes(3));
  assert.ok(!(await readVersions(store, { createdBefore: createdAt })).includes(4));
  await assert.rejects(
    store.models.versions('shoes', { limit: 1, after: 9, sort: '-testAccuracy' }),
    failure('invalid-request', 'version 9'),
  );
});

storeTest('models are filtered by one of their versions and by name, and sorted', async (t) => {
  const store = await temporaryStore(t);
  for (const name of ['shoes', 'bags', 'shirts']) {
    await publish(store, name, { metadata: { team: name }, datasetId: 'own' });
  }
  await publish(store, 'shoes', { metadata: { team: 'bags' } });
  assert.deepEqual(await readModels(store, { sort: 'name' }), ['bags', 'shirts', 'shoes']);
  assert.deepEqual(await readModels(store, { sort: '-name' }), ['shoes', 'shirts', 'bags']);
  assert.deepEqual(await readModels(store, { sort: 'createdAt' }), ['shoes', 'bags', 'shirts']);
  assert.deepEqual(await readModels(store, {}), ['shirts', 'bags', 'shoes']);
  assert.deepEqual(await readModels(store, { namePrefix: 'sh' }), ['shirts', 'shoes']);
  assert.deepEqual(await readModels(store, { metadata: { team: 'bags' } }), ['bags', 'shoes']);
  assert.deepEqual(await readModels(store, { metadata: { team: 'bags' }, dataset: 'own' }), ['bags']);
  const { createdAt } = (await store.models.get('bags'))!;
  assert.deepEqual(await readModels(store, { createdAfter: createdAt }), ['shirts']);
  assert.deepEqual(await readModels(store, { createdBefore: createdAt, sort: 'name' }), ['shoes']);
});
