import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import { comparisonQuerySchema, evaluationQuerySchema } from '../../../src/domain/checks/evaluation.ts';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import { createEvaluationService } from '../../../src/services/inspection/evaluations.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import type { NewVersion, Store } from '../../../src/store/persistent-state.ts';
import { createNumericPool, type NumericPool } from '../../../src/workers/pools.ts';
import { failure, newJob, runOf, temporaryStore, trained } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { dense } from '../../support/dense.ts';

const forever = new AbortController().signal;
const LETTERS = ['a', 'b', 'c'];

/** The first 300 images of each split, relabelled with three classes in turn. */
function threeClasses(from: Dataset): Dataset {
  const part = ({ pixels }: Dataset['train']) => ({
    pixels: pixels.slice(0, 300 * 784),
    labels: Uint8Array.from({ length: 300 }, (_, n) => n % 3),
  });
  return {
    id: 'letters',
    imageShape: from.imageShape,
    classNames: LETTERS,
    train: part(from.train),
    test: part(from.test),
    digest: `sha256:${'3'.repeat(64)}`,
  };
}

/** Publishes a version. Its parameters are stored only if `seed` is given. */
async function publish(store: Store, name: string, changes: Partial<NewVersion>, seed?: number) {
  const model = { ...trained, standardization: null, classNames: LETTERS, ...changes };
  const id = await newJob(store, 'running', name);
  const finish = async (digest = trained.digest) =>
    void (await runOf(id).finish({
      status: 'succeeded',
      step: 1,
      reason: 'completed',
      model: { ...model, digest },
    }));
  if (seed === undefined) return finish();
  const parameters = Float32Array.from(initialize('uniform-fan-in', dense(model.layerSizes), seed));
  return store.blobs.putReferenced(new Uint8Array(parameters.buffer), finish);
}

describe('an evaluation', () => {
  let fashion: Dataset;
  let pool: NumericPool;
  before(async () => {
    fashion = await loadFashionMnist(DATA_DIR);
    pool = createNumericPool();
  });
  after(() => pool.close());

  async function serviceIn(t: TestContext) {
    const store = await temporaryStore(t);
    const catalog = catalogOf(fashion, threeClasses(fashion));
    const evaluations = createEvaluationService(
      catalog,
      createModelService(store, catalog),
      pool,
      store.looks,
      { load: () => Promise.reject(new Error('No calibration is expected.')) },
    );
    return { store, evaluations };
  }
  const parseQuery = (query: object = {}) => evaluationQuerySchema.parse(query);

  test('uses the data set of the training, with any number of classes, or a given one', async (t) => {
    const { store, evaluations } = await serviceIn(t);
    const layerSizes = [784, 5, 3];
    await publish(store, 'small', { layerSizes, datasetId: 'letters' }, 1);
    await publish(store, 'small', { layerSizes, datasetId: null, datasetDigest: null }, 1);
    const one = await evaluations.evaluate({ name: 'small', version: 1 }, parseQuery(), forever);
    assert.deepEqual([one.dataset.id, one.report.examples, one.report.classes.length], ['letters', 300, 3]);
    const named = parseQuery({ dataset: 'letters' });
    const two = await evaluations.evaluate({ name: 'small', version: 2 }, named, forever);
    assert.equal(two.model.version, 2);
    assert.equal(two.report, one.report, 'the same network on the same images is computed once');
  });

  test('reports a deleted or unknown data set and lists the existing ones', async (t) => {
    const { store, evaluations } = await serviceIn(t);
    await publish(store, 'old', { datasetId: 'dst_gone' });
    await publish(store, 'old', { datasetId: null, datasetDigest: null });
    await assert.rejects(
      evaluations.evaluate({ name: 'old', version: 1 }, parseQuery(), forever),
      failure('unknown-dataset', 'data set dst_gone of version 1 of model', 'fashion-mnist', 'letters'),
    );
    await assert.rejects(
      evaluations.evaluate({ name: 'old', version: 2 }, parseQuery(), forever),
      failure('unknown-dataset', 'version 2 of model old is unknown'),
    );
  });

  test('requires the same number of classes of data set and models', async (t) => {
    const { store, evaluations } = await serviceIn(t);
    await publish(store, 'three', { datasetId: 'letters' });
    await publish(store, 'digits', { classNames: ['x', 'y', 'z'], datasetId: 'letters' });
    await assert.rejects(
      evaluations.evaluate({ name: 'three', version: 1 }, parseQuery({ dataset: 'fashion-mnist' }), forever),
      failure('impossible-request', '3 classes', 'fashion-mnist has 10'),
    );
    const query = comparisonQuerySchema.parse({ with: 'digits@1' });
    await assert.rejects(
      evaluations.compare({ name: 'three', version: 1 }, query, forever),
      failure('impossible-request', 'a, b, c', 'x, y, z'),
    );
  });

  test('is rejected with advice before loading if it would take minutes', async (t) => {
    const { store, evaluations } = await serviceIn(t);
    const classNames = [...fashion.classNames];
    await publish(store, 'large', { classNames, layerSizes: [784, 4096, 1024, 10] });
    await publish(store, 'larger', { classNames, layerSizes: [784, 4096, 4096, 4096, 4096, 10] });
    await assert.rejects(
      evaluations.evaluate({ name: 'large', version: 1 }, parseQuery({ split: 'train' }), forever),
      failure('evaluation-too-costly', '60,000 images', 'Use split=test with its 10,000 images'),
    );
    await assert.rejects(
      evaluations.evaluate({ name: 'larger', version: 1 }, parseQuery(), forever),
      failure('evaluation-too-costly', 'Select a data set with fewer images'),
    );
  });
});
