import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AddedDataset } from '../../../src/store/datasets/repository.ts';
import type { IdempotencyRecord } from '../../../src/store/idempotency.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { addDataset, datasetFile, failure, newDataset, temporaryDirectory } from '../fixtures.ts';
import { replaceSync } from './power-loss.ts';

async function open(t: TestContext) {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  t.after(() => store.close());
  return { store, datasets: store.datasets, files: () => readdir(join(directory, 'datasets')) };
}

/** Fails after the row was inserted, so the transaction is undone. */
const failing: IdempotencyRecord<AddedDataset> = {
  caller: 'anonymous',
  key: 'key',
  fingerprint: 'f'.repeat(64),
  at: new Date(),
  render() {
    throw new Error('not rendered');
  },
};

test('the file of a data set that cannot be stored is removed, but not that of a stored one', async (t) => {
  const { store, datasets, files } = await open(t);
  const add = async () => {
    const file = datasets.newFile();
    await writeFile(file, 'tensors');
    return datasets.add(file, newDataset('dst_a'), failing);
  };
  await assert.rejects(add(), /not rendered/);
  assert.deepEqual([await files(), await datasets.list()], [[], []]);
  await addDataset(store, 'dst_a');
  await assert.rejects(add(), /not rendered/);
  assert.deepEqual(await files(), ['dst_a']);
  assert.equal(await readFile(await datasetFile(store, 'dst_a'), 'utf8'), 'tensors');
});

test('one of several uploads of a data set is new, and its file goes after its row', async (t) => {
  const { store, datasets, files } = await open(t);
  const added = await Promise.all([1, 2, 3].map(() => addDataset(store, 'dst_a')));
  assert.equal(added.filter(({ isNew }) => isNew).length, 1);
  assert.deepEqual(await files(), ['dst_a']);
  const kept = datasets.newFile();
  await writeFile(kept, 'x');
  await datasets.discard(kept);
  await datasets.discard(kept);
  let removed = 0;
  await datasets.remove('dst_a', () => removed++);
  assert.deepEqual([removed, await files(), await datasets.find('dst_a')], [1, [], undefined]);
  await assert.rejects(
    datasets.remove('dst_a', () => removed++),
    failure('dataset-not-found', 'dst_a'),
  );
  assert.equal(removed, 1);
});

test('a data set whose file is gone can be deleted', async (t) => {
  const { store, datasets } = await open(t);
  await addDataset(store, 'dst_a');
  await rm(await datasetFile(store, 'dst_a'));
  await datasets.remove('dst_a');
  assert.deepEqual(await datasets.list(), []);
});

test('a data set that does not fit on the disk is not stored, and the error says so', async (t) => {
  const { datasets, files } = await open(t);
  const file = datasets.newFile();
  await writeFile(file, 'tensors');
  await replaceSync(t, 'sync', async () => {
    throw Object.assign(new Error('as the disk says'), { code: 'ENOSPC' });
  });
  await assert.rejects(
    datasets.add(file, newDataset('dst_a')),
    failure('storage-full', 'so the data set could not be stored'),
  );
  await datasets.discard(file);
  assert.deepEqual([await files(), await datasets.list()], [[], []]);
});
