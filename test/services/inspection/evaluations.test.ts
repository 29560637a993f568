import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Catalog } from '../../../src/datasets/catalog.ts';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import { comparisonQuerySchema, evaluationQuerySchema } from '../../../src/domain/checks/evaluation.ts';
import type { Dataset, DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import { AtelierError } from '../../../src/errors.ts';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import type { LoadedCalibration } from '../../../src/protocols/codec.ts';
import {
  createEvaluationService,
  MAX_EVALUATION_COST,
} from '../../../src/services/inspection/evaluations.ts';
import { createModelService, type ModelService } from '../../../src/services/models/catalog.ts';
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
    validation: null,
    learning: part(from.train),
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

  async function serviceIn(t: TestContext, changes: Partial<Catalog> = {}) {
    const store = await temporaryStore(t);
    const catalog = { ...catalogOf(fashion, threeClasses(fashion)), ...changes };
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

  test('reports a data set that is deleted before its images are read, and counts no look', async (t) => {
    const { store, evaluations } = await serviceIn(t, { get: async () => undefined });
    await publish(store, 'three', { layerSizes: [784, 5, 3], datasetId: 'letters' }, 1);
    const looks = await store.looks.total(threeClasses(fashion).digest);
    await assert.rejects(
      evaluations.evaluate({ name: 'three', version: 1 }, parseQuery({ dataset: 'letters' }), forever),
      failure('unknown-dataset', 'Data set letters has just been deleted', 'fashion-mnist, letters'),
    );
    assert.equal(await store.looks.total(threeClasses(fashion).digest), looks);
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

describe('an evaluation by a thread that answers at once', () => {
  /** The multiply-adds of an image: 500 pixels to 100 classes. */
  const PER_IMAGE = 50_000;
  const MOST = MAX_EVALUATION_COST / PER_IMAGE;

  const versionOf = (name: string, changes: object = {}): ModelVersion => ({
    ...({ lineage: { dataset: { id: 'rows', digest: 'rows' }, request: {} } } as ModelVersion),
    name,
    version: 1,
    digest: name,
    classNames: Array.from({ length: 100 }, (_, label) => `${label}`),
    activation: 'relu',
    standardization: null,
    inputShape: [1, 500],
    convolutions: [],
    norm: 'none',
    layerSizes: [500, 100],
    ...changes,
  });

  /** @param train number of training images. @param test number of test images */
  function serviceOf(train: number, test: number, used: object = {}, changes: object = {}) {
    const summary = (id: string) =>
      ({
        id,
        digest: id,
        imageShape: [1, 500],
        classNames: versionOf('').classNames,
        splits: { train: { examples: train }, test: { examples: test } },
      }) as unknown as DatasetSummary;
    const tasks: string[] = [];
    const looks: unknown[] = [];
    const evaluations = createEvaluationService(
      {
        find: async (id: string) => summary(id),
        get: async () => ({ train: 'training images', test: 'test images' }),
        use: () => new DisposableStack(),
      } as unknown as Catalog,
      {
        version: async (name: string) => versionOf(name, changes),
        load: async (name: string) => ({ reference: { name } }),
      } as unknown as ModelService,
      {
        run: async (task: string, { examples }: { examples: string }) => {
          tasks.push(`${task} ${examples}`);
          return { count: tasks.length };
        },
      } as unknown as NumericPool,
      {
        record: async (records) => {
          const seen = records.map(({ datasetDigest, kind, network, caller }) =>
            [datasetDigest, kind, network.digest, caller].join(' '),
          );
          looks.push(...seen);
        },
      },
      {
        load: async () =>
          ({ used: { dataset: 'rows', split: 'test', ...used }, temperature: 2 }) as LoadedCalibration,
      },
    );
    return { evaluations, tasks, looks };
  }

  const mine = { name: 'mine', version: 1 } as const;

  test('may cost exactly the limit, and not one image more', async () => {
    const exact = serviceOf(MOST, MOST);
    for (const split of ['train', 'test'] as const) {
      await exact.evaluations.evaluate(mine, { split }, forever);
    }
    assert.deepEqual(exact.tasks, ['evaluate training images', 'evaluate test images']);
    const rejected = async (train: number, test: number) => {
      const { evaluations, tasks } = serviceOf(train, test);
      const error = await evaluations.evaluate(mine, { split: 'train' }, forever).catch((reason) => reason);
      assert.ok(error instanceof AtelierError, String(error));
      assert.deepEqual(tasks, []);
      return error;
    };
    const { code, message, details } = await rejected(MOST + 1, MOST);
    assert.equal(code, 'evaluation-too-costly');
    assert.equal(
      message,
      'Evaluating 500-100 on 5,000,001 images takes 1.0 times the limit per request. Use split=test with its 5,000,000 images.',
    );
    assert.deepEqual(details, [{ parameter: 'split', detail: 'must have fewer images' }]);
    const both = await rejected(3 * MOST, MOST + 1);
    assert.match(both.message, /takes 3\.0 times the limit .* Select a data set with fewer images/);
    assert.deepEqual(both.details, [{ parameter: 'dataset', detail: 'must have fewer images' }]);
  });

  test('costs the sum of both versions if they are compared', async () => {
    const query = { split: 'test', with: 'other' } as const;
    const { evaluations, tasks } = serviceOf(1, MOST / 2);
    await evaluations.compare(mine, query, forever);
    assert.deepEqual(tasks, ['compare test images']);
    const { evaluations: above } = serviceOf(1, MOST / 2 + 1);
    await assert.rejects(
      above.compare(mine, query, forever),
      failure('evaluation-too-costly', 'Evaluating 500-100 and 500-100 on 2,500,001 images'),
    );
  });

  test('of the test split is a look at each network, and of the training split is none', async () => {
    const { evaluations, looks } = serviceOf(1, 1);
    await evaluations.evaluate(mine, { split: 'train' }, forever, 'ada');
    await evaluations.compare(mine, { split: 'train', with: 'other' }, forever, 'ada');
    assert.deepEqual(looks, []);
    await evaluations.evaluate(mine, { split: 'test' }, forever, 'ada');
    await evaluations.compare(mine, { split: 'test', with: 'other' }, forever, 'bob');
    assert.deepEqual(looks, [
      'rows evaluation mine ada',
      'rows comparison mine bob',
      'rows comparison other bob',
    ]);
    looks.length = 0;
    await evaluations.rank(mine, { split: 'test' }, forever, 'ada');
    await evaluations.measureCoverage(mine, { split: 'test' }, forever, 'bob');
    assert.deepEqual(looks, ['rows evaluation mine ada', 'rows evaluation mine bob']);
  });

  test('is computed once for each network, data set, split and cell', async () => {
    const { evaluations, tasks } = serviceOf(1, 1);
    const evaluate = async (query: object = {}, name = 'mine') => {
      const { report } = await evaluations.evaluate(
        { name, version: 1 },
        { split: 'test', ...query },
        forever,
      );
      return (report as unknown as { count: number }).count;
    };
    const queries = [{}, { split: 'train' }, { dataset: 'others' }, { label: 1, predicted: 2 }] as const;
    for (let round = 0; round < 2; round++) {
      for (const [n, query] of queries.entries()) assert.equal(await evaluate(query), n + 1);
      assert.equal(await evaluate({ label: 2, predicted: 1 }), 5);
      assert.equal(await evaluate({}, 'other'), 6);
    }
    for (let round = 0; round < 2; round++) {
      await evaluations.rank(mine, { split: 'test' }, forever);
      await evaluations.measureCoverage(mine, { split: 'test' }, forever);
      await evaluations.compare(mine, { split: 'test', with: 'other' }, forever);
    }
    assert.deepEqual(tasks.slice(6), [
      'rank test images',
      'measureCoverage test images',
      'compare test images',
    ]);
  });

  test('of the coverage tells whether the images were trained or calibrated on', async () => {
    const reused = async (split: 'train' | 'test', used: object, dataset?: string, changes: object = {}) => {
      const { evaluations } = serviceOf(1, 1, used, changes);
      const query = { split, ...(dataset !== undefined && { dataset }) };
      const measured = await evaluations.measureCoverage(mine, query, forever);
      assert.deepEqual(measured.calibration, { dataset: 'rows', split: 'test', ...used, temperature: 2 });
      return measured.reused;
    };
    assert.equal(await reused('train', { split: 'test' }), true, 'trained on');
    assert.equal(await reused('test', { split: 'test' }), true, 'calibrated on');
    assert.equal(await reused('test', { split: 'train' }), false, 'neither');
    assert.equal(await reused('test', { split: 'validation' }), false, 'neither');
    assert.equal(await reused('test', { split: 'test' }, 'others'), false, 'another data set');
    assert.equal(await reused('train', { split: 'test' }, 'others'), false, 'another data set');
    const others = { dataset: 'others' };
    assert.equal(await reused('train', { ...others, split: 'validation' }, 'others'), true, 'held out');
    assert.equal(await reused('train', { ...others, split: 'train' }, 'others'), true, 'calibrated on');
    const lineage = { dataset: null, request: null };
    assert.equal(await reused('train', { split: 'test' }, 'others', { lineage }), true, 'trained on, maybe');
  });
});
