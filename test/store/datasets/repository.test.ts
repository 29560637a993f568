import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import {
  addDataset,
  datasetFile,
  failure,
  temporaryDirectory,
  temporaryStore,
  untouched,
} from '../fixtures.ts';
import { isOnPostgres, storeTest } from '../store-test.ts';

test('data sets survive a restart, but incomplete files do not', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await openStore(directory);
  const added = await addDataset(first, 'dst_a');
  await writeFile(first.datasets.newFile(), 'half an upload');
  await writeFile(await datasetFile(first, 'dst_b'), 'moved, but without its row');
  await utimes(await datasetFile(first, 'dst_b'), 0, 0);
  await first.close();
  const second = await openStore(directory);
  t.after(() => second.close());
  assert.deepEqual(await second.datasets.list(), [added.dataset]);
  assert.deepEqual(await readdir(join(directory, 'datasets')), ['dst_a']);
});

storeTest('a second upload keeps name and time of the first, and repairs its file', async (t) => {
  const store = await temporaryStore(t);
  const first = await addDataset(store, 'dst_a', 'tensors', 'first');
  await writeFile(await datasetFile(store, 'dst_a'), 'damaged');
  const [second, other] = await Promise.all([
    addDataset(store, 'dst_a', 'tensors', 'second'),
    addDataset(store, 'dst_b'),
  ]);
  assert.deepEqual([first.isNew, second.isNew, other.isNew], [true, false, true]);
  assert.deepEqual(second.dataset, first.dataset);
  assert.equal(String(await readFile(await datasetFile(store, 'dst_a'))), 'tensors');
  const ids = (await store.datasets.list()).map(({ id }) => id);
  assert.deepEqual(ids.toSorted(), ['dst_a', 'dst_b']);
});

storeTest('a data set of an unfinished job cannot be deleted', async (t) => {
  const store = await temporaryStore(t);
  await addDataset(store, 'dst_a');
  const request = { ...trainingRequestSchema.parse({ dataset: 'dst_a' }), modelName: 'mine' };
  const job = await store.jobs.create(request, untouched);
  assert.deepEqual(await store.datasets.usedBy(['queued']), new Map([[job.id, 'dst_a']]));
  await assert.rejects(store.datasets.remove('dst_a'), failure('dataset-in-use', 'dst_a', job.id));
  await store.jobs.requestPause(job.id);
  await assert.rejects(store.datasets.remove('dst_a'), failure('dataset-in-use'));
  await store.jobs.requestCancel(job.id);
  await store.datasets.remove('dst_a');
  assert.deepEqual(await store.datasets.list(), []);
  // Elsewhere the copies of a deleted data set are removed later.
  if (!isOnPostgres(t)) await assert.rejects(readFile(await datasetFile(store, 'dst_a')), /ENOENT/);
});

storeTest('of a deletion and a concurrent new job, exactly one succeeds', async (t) => {
  const store = await temporaryStore(t);
  const request = { ...trainingRequestSchema.parse({ dataset: 'dst_a' }), modelName: 'mine' };
  for (let n = 0; n < 20; n++) {
    await addDataset(store, 'dst_a');
    const create = () => store.jobs.create(request, untouched);
    const remove = () => store.datasets.remove('dst_a');
    const [created, removed] =
      n % 2 === 0
        ? await Promise.allSettled([create(), remove()])
        : (await Promise.allSettled([remove(), create()])).toReversed();
    if (created!.status === 'fulfilled') {
      assert.ok(removed!.status === 'rejected' && failure('dataset-in-use', 'dst_a')(removed!.reason));
      await store.jobs.requestCancel((created!.value as { id: string }).id);
      await store.datasets.remove('dst_a');
    } else {
      assert.ok(failure('unknown-dataset', 'dst_a', 'deleted')(created!.reason));
      assert.equal(removed!.status, 'fulfilled');
    }
    await assert.rejects(create(), failure('unknown-dataset'));
  }
});

storeTest(
  'of two deletions, one succeeds, and the catalog is notified before the file is removed',
  async (t) => {
    const store = await temporaryStore(t);
    await addDataset(store, 'dst_a');
    const file = await datasetFile(store, 'dst_a');
    const found: string[] = [];
    const onRemoved = () => void found.push(readFileSync(file, 'utf8'));
    const deletions = await Promise.allSettled([
      store.datasets.remove('dst_a', onRemoved),
      store.datasets.remove('dst_a', onRemoved),
    ]);
    assert.deepEqual(found, ['tensors']);
    const refused = deletions.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    assert.equal(refused.length, 1);
    assert.ok(failure('dataset-not-found', 'dst_a')(refused[0]));
  },
);

test('a failed upload leaves neither file nor row', async (t) => {
  const store = await temporaryStore(t);
  await mkdir(join(await datasetFile(store, 'dst_a'), 'in the way'), { recursive: true });
  await assert.rejects(addDataset(store, 'dst_a'));
  assert.deepEqual(await store.datasets.list(), []);
});
