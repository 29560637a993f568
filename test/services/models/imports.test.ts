import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { createImportService } from '../../../src/services/models/imports.ts';
import { failure, temporaryStore } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';
import { dense } from '../../support/dense.ts';

const { signal } = new AbortController();
const images = { pixels: new Uint8Array(0), labels: new Uint8Array(3) };
const digits: Dataset = {
  id: 'digits',
  imageShape: [28, 28],
  classNames: ['zero', 'one'],
  digest: `sha256:${'d'.repeat(64)}`,
  train: images,
  validation: null,
  learning: images,
  test: images,
};
const imported = {
  architecture: dense([784, 1, 2]),
  activation: 'tanh',
  standardization: null,
  parameters: new Float32Array(789),
  classNames: null,
  preprocessing: null,
  source: 'npz',
  rounded: 4,
  assumed: ['classNames'],
};

/** Imports a file that a thread reads as this. */
async function setUp(t: TestContext, file: object = imported) {
  const store = await temporaryStore(t);
  const catalog = catalogOf(digits);
  const tasks: [string, Record<string, unknown>][] = [];
  const published: unknown[] = [];
  const service = createImportService({
    store,
    catalog,
    models: createModelService(store, catalog),
    numeric: {
      async run(kind: string, task: Record<string, unknown>) {
        tasks.push([kind, task]);
        return kind === 'importFile' ? file : { accuracy: 0.75 };
      },
    } as unknown as Parameters<typeof createImportService>[0]['numeric'],
    onPublished: (version) => published.push(version),
  });
  const upload = { bytes: new Uint8Array(8), digest: 'sha256:file' };
  return {
    store,
    tasks,
    published,
    import: (request: object = {}) =>
      service.import(upload, { name: 'mine', inputShape: 'auto', ...request }, signal, undefined, 'ada'),
  };
}

test('without a data set, classes are numbered and nothing is evaluated', async (t) => {
  const { import: importFile, tasks, published, store } = await setUp(t);
  const version = await importFile({ metadata: { run: '7' }, dataset: 'none' });
  assert.deepEqual(
    [version.name, version.version, version.classNames, version.testAccuracy, version.activation],
    ['mine', 1, ['0', '1'], null, 'tanh'],
  );
  assert.deepEqual([version.metadata, version.lineage.dataset], [{ run: '7' }, null]);
  assert.deepEqual(version.lineage.import, {
    source: 'npz',
    fileDigest: 'sha256:file',
    rounded: 4,
    assumed: ['classNames'],
  });
  assert.deepEqual([tasks.map(([kind]) => kind), published], [['importFile'], [version]]);
  assert.deepEqual(tasks[0]![1]['hints'], { inputShape: 'auto' });
  assert.equal((await store.blobs.get(version.digest)).length, 4 * 789);
});

test('a data set gives class names and a test accuracy, but the names of the file come first', async (t) => {
  const { import: importFile, tasks } = await setUp(t);
  const version = await importFile({ dataset: 'digits' });
  assert.deepEqual([version.classNames, version.testAccuracy], [['zero', 'one'], 0.75]);
  assert.deepEqual(version.lineage.dataset, { id: 'digits', digest: digits.digest });
  assert.deepEqual(
    tasks.map(([kind]) => kind),
    ['importFile', 'evaluate'],
  );
  assert.equal(tasks[1]![1]['examples'], images);
  const named = await setUp(t, { ...imported, classNames: ['cat', 'dog'] });
  assert.deepEqual((await named.import({ dataset: 'digits' })).classNames, ['cat', 'dog']);
});

test('the data set must exist and fit the model, else nothing is published', async (t) => {
  const { import: importFile, published } = await setUp(t, { ...imported, architecture: dense([784, 1, 3]) });
  await assert.rejects(
    importFile({ dataset: 'digits' }),
    failure('impossible-request', 'Model mine has 3 classes, but data set digits has 2.'),
  );
  await assert.rejects(importFile({ dataset: 'dst_1' }), failure('unknown-dataset', 'dst_1'));
  assert.deepEqual(published, []);
});
