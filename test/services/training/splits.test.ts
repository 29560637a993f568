import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import {
  type KnownTraining,
  knownTraining,
  listSplits,
  mayBeTrainedOn,
} from '../../../src/services/training/splits.ts';
import { failure, publish, request, temporaryStore, trained, untouched } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

const OTHER_DIGEST = `sha256:${'e'.repeat(64)}`;
const options = { ...request().training, validation: null };
const validated = (fraction: number) => ({ ...options, validation: { fraction } });
const distilled = (...teachers: string[]) => ({ ...options, distillation: { weight: 0.5, teachers } });

/** A training that splits with seed 9. */
function training(changes: Partial<KnownTraining['request']>): KnownTraining {
  const known = { seed: 9, training: options, warmStart: null, ...changes };
  return { request: known, datasetDigest: trained.datasetDigest! };
}

async function setUp(t: TestContext) {
  const store = await temporaryStore(t);
  const models = createModelService(store, catalogOf());
  const list = async (known: KnownTraining) =>
    (await listSplits(known, models, store.jobs))?.map(({ seed, training: { validation } }) => ({
      seed,
      validation,
    })) ?? null;
  return { store, models, list };
}

test('lists the split of each training that a model depends on once, and of no other data set', async (t) => {
  const { store, list } = await setUp(t);
  await publish(store, 'first', { seed: 1, training: validated(0.2) });
  await publish(store, 'elsewhere', { seed: 2, warmStart: 'first@1' }, { datasetDigest: OTHER_DIGEST });
  await publish(store, 'teacher', { seed: 3, training: options });
  const { distillation } = distilled('teacher@1', 'first@1');
  assert.deepEqual(
    await list(training({ training: { ...validated(0.1), distillation }, warmStart: 'elsewhere@1' })),
    [
      { seed: 9, validation: { fraction: 0.1 } },
      { seed: 3, validation: null },
      { seed: 1, validation: { fraction: 0.2 } },
    ],
  );
  assert.deepEqual(await list(training({ warmStart: 'elsewhere@1' })), [
    { seed: 9, validation: null },
    { seed: 1, validation: { fraction: 0.2 } },
  ]);
});

test('follows the checkpoint of a job to its training', async (t) => {
  const { store, list } = await setUp(t);
  const { id } = await store.jobs.create({ ...request(), seed: 4, training: validated(0.3) }, untouched);
  const warmStart = `${id}@1`;
  assert.equal(await list(training({ warmStart })), null, 'the job has not run');
  const dataset = { id: 'fashion-mnist', digest: trained.datasetDigest! };
  const environment = { dataset, kernel: { name: 'k', digest: 'sha256:k' }, fused: true };
  const run = await store.jobs.start(id, { detectEnvironment: () => environment });
  await run!.finish({ status: 'succeeded', step: 1, reason: 'completed', model: trained });
  assert.deepEqual(await list(training({ warmStart })), [
    { seed: 9, validation: null },
    { seed: 4, validation: { fraction: 0.3 } },
  ]);
});

test('knows no splits if a training that the model depends on is unknown', async (t) => {
  const { store, models, list } = await setUp(t);
  const { datasetId, datasetDigest, ...network } = trained;
  const imported = { source: 'sklearn', fileDigest: OTHER_DIGEST, rounded: 0, assumed: [] } as const;
  const file = { ...network, name: 'imported', imported: { ...imported, assumed: [] }, metadata: {} };
  const version = await store.models.publish({ ...file, datasetId, datasetDigest });
  for (const name of ['imported', 'deleted']) {
    assert.equal(await list(training({ warmStart: `${name}@1` })), null, name);
    assert.equal(await list(training({ training: distilled(`${name}@1`) })), null, name);
  }
  assert.equal(knownTraining(version), null);
  const unavailable = async () => {
    throw new AtelierError('storage-unavailable', 'The database is away.');
  };
  const listing = listSplits(training({ warmStart: 'a@1' }), { version: unavailable }, store.jobs);
  await assert.rejects(listing, failure('storage-unavailable'));

  await publish(store, 'trained');
  const isTrainedOn = async (name: string, digest: string) =>
    mayBeTrainedOn(await models.version(name, 1), digest, 'train');
  assert.equal(await isTrainedOn('trained', trained.datasetDigest!), true);
  assert.equal(await isTrainedOn('trained', OTHER_DIGEST), false);
  assert.equal(await isTrainedOn('imported', OTHER_DIGEST), true, 'its images are unknown');
});
