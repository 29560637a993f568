import assert from 'node:assert/strict';
import type { Store } from '../../../src/store/persistent-state.ts';
import { publish, temporaryStore, trained } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

const imported = { source: 'npz' as const, fileDigest: 'sha256:f', rounded: 0, assumed: [] };

const importVersion = ({ models }: Store, name: string, changes: object = {}) =>
  models.publish({ ...trained, name, imported, metadata: { team: 'vision' }, ...changes });

storeTest('the numbers of versions are not used again, and new models are later than others', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'a');
  await publish(store, 'a');
  await store.models.remove('a', 2);
  assert.equal((await importVersion(store, 'a')).version, 3);
  const names = ['b', 'c', 'd'];
  for (const name of names) assert.equal((await importVersion(store, name)).version, 1);
  const created = [];
  for (const name of ['a', ...names]) created.push((await store.models.get(name))!.createdAt);
  assert.deepEqual(created, [...new Set(created)].toSorted(), 'no two have the same time');
  await store.models.remove('b');
  assert.equal((await importVersion(store, 'b')).version, 2, 'also of a model that was deleted');
  const [again, last] = [(await store.models.get('b'))!, (await store.models.get('d'))!];
  assert.ok(again.createdAt > last.createdAt);
  assert.equal(again.versions, 1);
});

storeTest('a version knows what it was made of, or that it was imported', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'a', {}, { fused: false });
  const { lineage, fused, metadata, parameters, layers } = (await store.models.version('a', 1))!;
  assert.deepEqual([fused, metadata], [false, { who: 'a test' }]);
  assert.equal(parameters, 784 * 40 + 40 + 40 * 10 + 10);
  assert.match(layers, /784.*40.*10/);
  assert.deepEqual(
    [lineage.source, lineage.seed, lineage.parent, lineage.teachers],
    ['training', 7, null, []],
  );
  assert.deepEqual(lineage.dataset, { id: trained.datasetId, digest: trained.datasetDigest });
  assert.equal(lineage.import, null);

  await importVersion(store, 'b');
  const other = (await store.models.version('b', 1))!;
  assert.deepEqual([other.fused, other.metadata], [true, { team: 'vision' }]);
  const { source, seed, jobId, request, teachers } = other.lineage;
  assert.deepEqual([source, seed, jobId, request, teachers], ['import', null, null, null, []]);
  assert.deepEqual(other.lineage.import, imported);
  for (const unknown of [{ datasetId: null }, { datasetDigest: null }]) {
    const { version } = await importVersion(store, 'b', { ...unknown, testAccuracy: null });
    assert.equal((await store.models.version('b', version))!.lineage.dataset, null);
  }
});

storeTest('the test accuracy of a version counts as a look if it was not one of an epoch', async (t) => {
  const store = await temporaryStore(t);
  const total = () => store.looks.total(trained.datasetDigest!);
  const digestOf = (digit: string) => ({ digest: `sha256:${digit.repeat(64)}` });
  await publish(store, 'a', {}, digestOf('1'));
  assert.equal(await total(), 0, 'each epoch has been counted');
  await publish(store, 'a', { testSet: 'once' }, digestOf('2'));
  assert.equal(await total(), 1);
  await publish(store, 'a', { testSet: 'once' }, { ...digestOf('3'), testAccuracy: null });
  assert.equal(await total(), 1);
  await importVersion(store, 'b', digestOf('4'));
  assert.equal(await total(), 2);
});
