import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { trainingJobSchema, trainingRequestSchema } from '../../../src/domain/jobs/training.ts';
import { modelVersionSchema } from '../../../src/domain/models/representation.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { temporaryDirectory, untouched } from '../fixtures.ts';
import { writeOldDatabase } from '../sqlite/old-database.ts';

const ID = 'job_01M880FEH52JANXJG42H3VZFKH';

/** A request as it was stored before the further options were introduced. */
const OLD_REQUEST = {
  dataset: 'fashion-mnist',
  modelName: 'old',
  seed: 7,
  metadata: { who: 'a test' },
  network: { hidden: [12], activation: 'relu', init: 'uniform-fan-in' },
  training: {
    epochs: 3,
    batchSize: 32,
    optimizer: { type: 'sgd', learningRate: 0.2 },
    schedule: { type: 'exponential', factor: 0.9 },
    l2: 0.001,
    validation: { fraction: 0.2 },
  },
};

/** Writes a database at the first migration, with a job and the model that it published. */
function writeOld(file: string): Promise<void> {
  const at = '2026-11-25T00:07:51.589Z';
  return writeOldDatabase(file, '0001-initial', (insert) => {
    insert('jobs', {
      id: ID,
      status: 'succeeded',
      request: JSON.stringify(OLD_REQUEST),
      created_at: at,
      started_at: at,
      finished_at: at,
      attempts: 1,
      progress: JSON.stringify(untouched),
      model_version: 1,
      stopped_step: 4500,
      stopped_reason: 'completed',
      digest: `sha256:${'a'.repeat(64)}`,
      event_count: 0,
    });
    insert('models', { name: 'old', created_at: at, last_version: 1 });
    insert('model_versions', {
      name: 'old',
      version: 1,
      created_at: at,
      job_id: ID,
      dataset_id: 'fashion-mnist',
      dataset_digest: `sha256:${'d'.repeat(64)}`,
      layer_sizes: '[784,12,10]',
      activation: 'relu',
      class_names: '["T-shirt/top","Trouser"]',
      engine: 'reference-float64',
      test_accuracy: 0.86,
      digest: `sha256:${'a'.repeat(64)}`,
    });
  });
}

test('a job of the first version is shown with the defaults of later options', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeOld(join(directory, 'atelier.sqlite'));
  const store = await openStore(directory);
  t.after(() => store.close());
  const job = await store.jobs.get(ID);
  assert.ok(job);
  assert.deepEqual(trainingJobSchema.parse(job), job);
  const { gradientCheckReport, gradientCheck, ...request } = job;
  assert.deepEqual([gradientCheckReport, gradientCheck], [null, false], 'there was none');
  const asked = trainingRequestSchema.parse({ ...OLD_REQUEST, gradientCheck: false });
  const { training, network, seed, metadata, warmStart } = request;
  assert.deepEqual(
    { training, network, seed, metadata, warmStart },
    {
      training: asked.training,
      network: asked.network,
      seed: 7,
      metadata: { who: 'a test' },
      warmStart: null,
    },
  );
});

test('a model of the first version has no standardization and unfused multiply-adds', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeOld(join(directory, 'atelier.sqlite'));
  const store = await openStore(directory);
  t.after(() => store.close());
  const version = await store.models.version('old');
  assert.ok(version);
  assert.deepEqual(modelVersionSchema.parse(version), version);
  assert.deepEqual(
    [version.standardization, version.fused, version.engine, version.testAccuracy],
    [null, false, 'reference-float64', 0.86],
  );
});
