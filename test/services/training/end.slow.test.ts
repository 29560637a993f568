/** Trainings that end before their last epoch: reason and published parameters. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { CheckpointRecord } from '../../../src/domain/jobs/checkpoint.ts';
import type { EpochRecord } from '../../../src/domain/jobs/epoch-record.ts';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { startService, type TrainingBody, tiny, train } from '../../support/start-service.ts';

const { app } = await startService({ after }, { DATA_DIR });

type Training = NonNullable<TrainingBody['training']>;

function trained(training: Training, testSet?: TrainingBody['testSet']): Promise<TrainingJob> {
  const base = { batchSize: 1024, validation: { fraction: 0.98 } };
  return train(
    app,
    tiny({ modelName: 'ended', network: { hidden: [8] }, training: { ...base, ...training }, testSet }),
  );
}

async function recordsOf({ id }: TrainingJob): Promise<EpochRecord[]> {
  return (await app.inject(`/v1/training-jobs/${id}/metrics`)).json().data;
}

async function published({ model }: TrainingJob): Promise<ModelVersion> {
  return (await app.inject(`/v1/models/${model!.name}/versions/${model!.version}`)).json();
}

/** At this rate the second epoch, and each after it, is worse than the first. */
const unsteady: Training = { epochs: 60, optimizer: { learningRate: 2 } };

test('early stopping ends a training that no longer improves, with the parameters of the best epoch', async () => {
  const job = await trained({ ...unsteady, earlyStopping: { patience: 3 } });
  assert.equal(job.status, 'succeeded');
  const records = await recordsOf(job);
  const losses = records.map((record) => record.validationLoss!);
  const best = losses.indexOf(Math.min(...losses));
  assert.deepEqual(job.stoppedAt, { step: 2 * records.length, reason: 'early-stopping' });
  assert.ok(records.length < 60 && best < records.length - 1, 'the best epoch is not the last one');
  assert.equal(records.length - 1 - best, 3, 'its patience');
  assert.equal((await published(job)).testAccuracy, records[best]!.testAccuracy);
  const asLong = await trained({ ...unsteady, epochs: best + 1 });
  assert.equal(job.digest, asLong.digest, 'as if it had ended there');
  const once = await trained({ ...unsteady, threads: 2, earlyStopping: { patience: 3 } }, 'once');
  assert.deepEqual(
    [once.digest, (await published(once)).testAccuracy],
    [job.digest, records[best]!.testAccuracy],
    'measured once, on the parameters of the best epoch',
  );
});

test('a training shorter than a second has checkpoints of its best and its last epoch', async () => {
  const job = await trained({ ...unsteady, epochs: 5, keepCheckpoints: 'all' });
  const { data } = (await app.inject(`/v1/training-jobs/${job.id}/checkpoints`)).json();
  const steps = data.map((checkpoint: CheckpointRecord) => checkpoint.step);
  assert.deepEqual([job.best?.epoch, steps.includes(2), steps.at(-1)], [1, true, 10]);
  const warmStart = `${job.id}@2`;
  assert.equal((await train(app, tiny({ network: { hidden: [8] }, warmStart }))).status, 'succeeded');
});

test('without restoreBest, early stopping keeps the parameters of the last epoch', async () => {
  const job = await trained({ ...unsteady, earlyStopping: { patience: 3, restoreBest: false } });
  const records = await recordsOf(job);
  assert.equal(job.stoppedAt?.reason, 'early-stopping');
  assert.equal((await published(job)).testAccuracy, records.at(-1)!.testAccuracy);
  assert.equal(job.digest, (await trained({ ...unsteady, epochs: records.length })).digest);
});

test('early stopping can monitor the validation accuracy with minDelta', async () => {
  const earlyStopping = { monitor: 'validationAccuracy' as const, patience: 2, minDelta: 1 };
  const job = await trained({ epochs: 60, earlyStopping });
  assert.deepEqual(job.stoppedAt, { step: 6, reason: 'early-stopping' });
  const accuracies = (await recordsOf(job)).map((record) => record.validationAccuracy!);
  const best = accuracies.indexOf(Math.max(...accuracies));
  assert.equal((await published(job)).testAccuracy, (await recordsOf(job))[best]!.testAccuracy);
});

test('a time budget ends a training with its records and a model', async () => {
  const job = await trained({ epochs: 1000, budget: { seconds: 1e-6 } });
  assert.deepEqual([job.status, job.stoppedAt], ['succeeded', { step: 1, reason: 'budget' }]);
  const [record, ...more] = await recordsOf(job);
  assert.deepEqual(more, []);
  assert.deepEqual(record, job.latest);
  assert.ok(record!.gradientNorm > 0 && Number.isFinite(record!.trainLoss));
  assert.equal((await published(job)).testAccuracy, record!.testAccuracy);
});

test('training ends with the first epoch that reaches the target accuracy', async () => {
  const job = await trained({ epochs: 100, budget: { targetValidationAccuracy: 0.24, seconds: 600 } });
  const records = await recordsOf(job);
  assert.deepEqual([job.status, job.stoppedAt?.reason], ['succeeded', 'target-reached']);
  assert.equal(job.stoppedAt?.step, 2 * records.length);
  assert.deepEqual(
    records.map((record) => record.validationAccuracy! >= 0.24),
    records.map((_, epoch) => epoch === records.length - 1),
  );
  assert.equal((await published(job)).testAccuracy, records.at(-1)!.testAccuracy);
});

async function warningsOf({ id }: TrainingJob): Promise<{ code: string; epoch: number; message: string }[]> {
  const { data } = (await app.inject(`/v1/training-jobs/${id}/events?limit=100`)).json();
  return data
    .filter(({ type }: { type: string }) => type === 'warning')
    .map((event: { data: object }) => event.data);
}

test('warns about a learning rate that is far too large: dead units, constant prediction, large gradient', async () => {
  const warnings = await warningsOf(await trained({ epochs: 1, optimizer: { learningRate: 100 } }));
  assert.deepEqual(
    warnings.map(({ code, epoch }) => [code, epoch]),
    [
      ['dead-units', 1],
      ['constant-prediction', 1],
      ['exploding-gradient', 1],
    ],
  );
  for (const { message } of warnings) assert.match(message, /Lower the learning rate \(100\)/);
});

test('warns by the loss if a training explodes and dies within an epoch', async () => {
  const job = await train(app, {
    dataset: 'fashion-mnist',
    modelName: 'exploded',
    training: { epochs: 1, optimizer: { learningRate: 100 } },
  });
  assert.ok(job.latest!.gradientNorm < 100, 'the gradient of the last step does not show it');
  const exploding = (await warningsOf(job)).find(({ code }) => code === 'exploding-gradient');
  assert.match(exploding!.message, /training loss of epoch 1 was .*; a uniform guess has 2\.30/);
});

test('warns about a penalty that removes all weights', async () => {
  const warnings = await warningsOf(await trained({ epochs: 1, l2: 10 }));
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['constant-prediction'],
  );
  assert.match(warnings[0]!.message, /penalties \(l1, l2, weight decay\)/);
});

test('does not warn about a normal training', async () => {
  assert.deepEqual(await warningsOf(await trained({ epochs: 2 })), []);
});
