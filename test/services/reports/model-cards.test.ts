import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { AtelierError } from '../../../src/errors.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { createTestSetService } from '../../../src/services/models/test-sets.ts';
import { createModelCardService } from '../../../src/services/reports/model-cards.ts';
import { publish, temporaryStore, trained } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

const images = { pixels: new Uint8Array(0), labels: new Uint8Array(10) };
const fashion: Dataset = {
  id: 'fashion-mnist',
  imageShape: [28, 28],
  classNames: trained.classNames,
  digest: trained.datasetDigest!,
  train: images,
  validation: null,
  learning: images,
  test: images,
};
type Evaluations = Parameters<typeof createModelCardService>[0]['evaluations'];

/** The card of a version, whose evaluation ends like this. */
async function cardOf(
  t: TestContext,
  model: Parameters<typeof publish>[3],
  { datasets = [fashion], evaluate = () => assert.fail('not evaluated'), isRevealed = true } = {} as {
    datasets?: readonly Dataset[];
    evaluate?: () => unknown;
    isRevealed?: boolean;
  },
) {
  const store = await temporaryStore(t);
  const catalog = catalogOf(...datasets);
  await publish(store, 'shoes', {}, model);
  const rank = async () => ({ ranking: { classes: [], macro: null }, classNames: [] });
  const cards = createModelCardService({
    store: { jobs: store.jobs, looks: { ...store.looks, has: async () => isRevealed } },
    catalog,
    models: createModelService(store, catalog),
    evaluations: { evaluate: async () => evaluate(), rank } as unknown as Evaluations,
    testSets: createTestSetService(store, catalog),
  });
  return cards.collect({ name: 'shoes', version: 1 }, new AbortController().signal);
}

test('a card without an evaluation gives the reason, and what else is known', async (t) => {
  const failing = (error: Error) => ({ evaluate: () => Promise.reject(error) });
  const costly = new AtelierError('evaluation-too-costly', 'It takes too long.');
  for (const [model, options, reason, hasDataset] of [
    [{ datasetId: null, datasetDigest: null }, {}, 'The version has no data set.', false],
    [{}, { datasets: [] }, 'The data set of the version no longer exists.', false],
    [
      {},
      { datasets: [{ ...fashion, digest: `sha256:${'e'.repeat(64)}` }] },
      'The data set of the version no longer exists.',
      false,
    ],
    [
      {},
      { isRevealed: false },
      'No test result of the version has been revealed yet, and a card never reveals the first one.',
      true,
    ],
    [{}, failing(costly), 'It takes too long.', true],
  ] as const) {
    const card = await cardOf(t, model, options);
    assert.equal(card.notEvaluated, reason);
    assert.deepEqual([card.evaluated, card.areas, card.coverage], [null, null, null]);
    assert.equal(card.dataset !== null, hasDataset, reason);
    // 784 · 40 + 40 + 40 · 10 + 10
    assert.equal(card.parameters, 31_810);
  }
  for (const error of [new AtelierError('overloaded', 'Busy.'), new Error('a defect')]) {
    await assert.rejects(cardOf(t, {}, failing(error)), error);
  }
});
