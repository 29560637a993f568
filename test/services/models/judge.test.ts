import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { AtelierError } from '../../../src/errors.ts';
import type { Comparison } from '../../../src/numerics/evaluation/comparison.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/numerics/network/image-shape.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { createJudge } from '../../../src/services/models/judge.ts';
import type { LoadedModel } from '../../../src/services/models/loaded-version.ts';
import type { ServedNetwork } from '../../../src/workers/kernel/compile.ts';
import type { NumericPool } from '../../../src/workers/pools.ts';
import { failure, publish, request, temporaryStore, trained, untouched } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';
import { dense } from '../../support/dense.ts';

const examples = { pixels: new Uint8Array(784), labels: new Uint8Array(1) };
const digits: Dataset = {
  id: 'digits',
  imageShape: DEFAULT_IMAGE_SHAPE,
  classNames: ['T-shirt/top', 'Trouser'],
  digest: trained.datasetDigest!,
  train: examples,
  validation: null,
  learning: examples,
  test: examples,
};
const network: ServedNetwork = {
  reference: { name: 'shirts', version: 0 },
  architecture: dense([784, 1, 2]),
  activation: 'relu',
  standardization: null,
  parameters: new Float32Array(789),
  classNames: digits.classNames,
};
const champion: LoadedModel = {
  ...network,
  reference: { name: 'shirts', version: 1 },
  forward: () => assert.fail('the thread predicts'),
  multiplyAdds: 0,
  datasetId: null,
  preprocessing: null,
};

/** A comparison of 20 images. */
function compared(n10: number, n01: number, pValue: number): Comparison {
  const counts = { n00: 2, n01, n10, n11: 18 - n10 - n01 };
  const mcnemar = { method: 'exact-binomial', statistic: null, pValue } as const;
  return { examples: 20, counts, mcnemar, classes: [], differences: { total: 0, first: [] } };
}

/** @param compare what a numeric thread returns */
async function setUp(t: TestContext, compare: () => Promise<Comparison | null>) {
  const store = await temporaryStore(t);
  const models = { ...createModelService(store, catalogOf(digits)), load: () => champion };
  const tasks: unknown[] = [];
  const run = (...task: unknown[]) => {
    tasks.push(task);
    return compare();
  };
  const judge = createJudge(models, store.jobs, { run } as Pick<NumericPool, 'run'>);
  return {
    store,
    tasks,
    async judge(dataset = digits, warmStart: string | null = null) {
      const job = await store.jobs.create({ ...request('shirts'), seed: 5 }, untouched);
      return judge({ ...job, warmStart }, dataset, network);
    },
  };
}

test('compares the result with the champion on images that both held out', async (t) => {
  // p of 11 to 1 by the binomial distribution: 2 · (1 + 12) / 2¹²
  let comparison = compared(11, 1, 26 / 4096);
  const { store, tasks, judge } = await setUp(t, async () => comparison);
  assert.equal(await judge(), null, 'the model has no champion');
  await publish(store, 'shirts', { seed: 3 });
  assert.deepEqual(await judge(), {
    champion: 1,
    comparison: {
      champion: 1,
      examples: 20,
      verdict: 'better',
      accuracy: { version: 17 / 20, champion: 7 / 20 },
      counts: { n00: 2, n01: 1, n10: 11, n11: 6 },
      mcnemar: comparison.mcnemar,
    },
    reason:
      'The new version is significantly better than the champion, version 1: of 20 validation images that neither was ' +
      "trained on, 85.00 % instead of 35.00 % are correct (McNemar's test: n10 = 11, n01 = 1, p = 0.0063), so it replaces it.",
  });
  const { forward, multiplyAdds, datasetId, preprocessing, ...other } = champion;
  const splits = [5, 3].map((seed) => ({ seed, holdout: { fraction: 0.1 }, examples: 1 }));
  assert.deepEqual(tasks, [['compareHeldOut', { network, other, examples, splits }]]);
  for (comparison of [compared(1, 11, 26 / 4096), compared(3, 1, 0.625)]) {
    assert.match((await judge())!.reason, /\), so it does not replace it\.$/);
  }
});

test('gives the reason for which a result cannot be compared', async (t) => {
  let error: Error | null = null;
  const { store, tasks, judge } = await setUp(t, async () => {
    if (error !== null) throw error;
    return null;
  });
  await publish(store, 'shirts');
  const elsewhere = 'it was trained on data set fashion-mnist, not on digits';
  const unknown =
    'a model that one of the two started from was imported or deleted, so the images that it was trained on are unknown';
  for (const [reason, dataset, warmStart] of [
    [elsewhere, { ...digits, digest: `sha256:${'e'.repeat(64)}` }],
    [elsewhere, { ...digits, classNames: ['Trouser', 'T-shirt/top'] }],
    [unknown, digits, 'deleted@1'],
  ] as const) {
    assert.deepEqual(await judge(dataset, warmStart ?? null), {
      champion: 1,
      comparison: null,
      reason: `The new version is not compared with the champion, version 1 of model shirts, and does not replace it: ${reason}.`,
    });
  }
  assert.deepEqual(tasks, []);
  assert.match((await judge())!.reason, /: no image was held out for validation from both\.$/);
  error = new AtelierError('impossible-request', 'It is too large.');
  assert.match((await judge())!.reason, /replace it: the comparison failed: It is too large\.$/);
  error = new AtelierError('storage-unavailable', 'The database is away.');
  await assert.rejects(judge(), failure('storage-unavailable'));
  error = new TypeError('a defect');
  await assert.rejects(judge(), TypeError);
});

test('does not compare with an import, whose training images are unknown', async (t) => {
  const { store, tasks, judge } = await setUp(t, async () => null);
  const imported = { source: 'sklearn' as const, fileDigest: 'sha256:f', rounded: 0, assumed: [] };
  await store.models.publish({ ...trained, name: 'shirts', imported, metadata: {} });
  const { reason } = (await judge())!;
  assert.match(reason, /: it was imported, so the images that it was trained on are unknown\.$/);
  assert.deepEqual(tasks, []);
});
