/** Every training option in the service: it changes the published model. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startService, type TrainingBody, tiny, train } from '../../support/start-service.ts';

const { app } = await startService({ after }, { QUEUE_LIMIT: '200' });

type Training = NonNullable<TrainingBody['training']>;
type Knob = [name: string, training?: Training, network?: TrainingBody['network']];

/** A request with two steps per epoch. */
function body(modelName: string, training: Training = {}, network: TrainingBody['network'] = {}) {
  return tiny({
    gradientCheck: true,
    modelName,
    network: { hidden: [8], ...network },
    training: { epochs: 2, batchSize: 1024, validation: { fraction: 0.8 }, ...training },
  });
}

const KNOBS: Readonly<Record<string, readonly Knob[]>> = {
  optimizers: [
    ['sgd', { optimizer: { type: 'sgd' } }],
    ['sgd-momentum', { optimizer: { type: 'sgd', momentum: 0.9 } }],
    ['sgd-nesterov', { optimizer: { type: 'sgd', momentum: 0.9, nesterov: true } }],
    ['sgd-decay', { optimizer: { type: 'sgd', weightDecay: 0.01 } }],
    ['rmsprop', { optimizer: { type: 'rmsprop' } }],
    ['rmsprop-momentum', { optimizer: { type: 'rmsprop', momentum: 0.9 } }],
    ['adam', { optimizer: { type: 'adam' } }],
    ['adam-decay', { optimizer: { type: 'adam', weightDecay: 0.01 } }],
    ['adamw', { optimizer: { type: 'adamw' } }],
  ],
  schedules: [
    ['constant', { schedule: { type: 'constant' } }],
    ['step', { schedule: { type: 'step', every: 1 } }],
    ['exponential', { schedule: { type: 'exponential', factor: 0.9 } }],
    ['cosine', { schedule: { type: 'cosine' } }],
    ['warmup-cosine', { schedule: { type: 'warmup-cosine', warmupEpochs: 1 } }],
    // With a patience of 1, the schedule detects a plateau after the third epoch.
    ['constant-long', { epochs: 4, schedule: { type: 'constant' } }],
    ['plateau-long', { epochs: 4, schedule: { type: 'plateau', patience: 1, minDelta: 100 } }],
    ['restarts-long', { epochs: 4, schedule: { type: 'cosine-restarts', period: 2 } }],
    ['one-cycle', { schedule: { type: 'one-cycle', peak: 0.5 } }],
  ],
  activations: [
    ['relu', {}, { activation: 'relu' }],
    ['leaky-relu', {}, { activation: 'leaky-relu' }],
    ['tanh', {}, { activation: 'tanh' }],
    ['sigmoid', {}, { activation: 'sigmoid' }],
    ['silu', {}, { activation: 'silu' }],
    ['identity', {}, { activation: 'identity' }],
  ],
  initializations: [
    ['uniform-fan-in', {}, { init: 'uniform-fan-in' }],
    ['he', {}, { init: 'he' }],
    ['glorot', {}, { init: 'glorot' }],
  ],
  augmentations: [
    ['unchanged', { augmentation: {} }],
    ['flip', { augmentation: { horizontalFlip: true } }],
    ['shift', { augmentation: { shift: 2 } }],
    ['rotation', { augmentation: { rotation: 20 } }],
    ['scale', { augmentation: { scale: 0.2 } }],
    ['noise', { augmentation: { noise: 0.1 } }],
    ['erase', { augmentation: { erase: 0.5 } }],
    [
      'all',
      { augmentation: { horizontalFlip: true, shift: 2, rotation: 20, scale: 0.2, noise: 0.1, erase: 0.5 } },
    ],
  ],
  'regularisations and objectives': [
    ['plain'],
    ['l1', { l1: 0.001 }],
    ['l2', { l2: 0.01 }],
    ['dropout', { dropout: 0.5 }],
    ['label-smoothing', { labelSmoothing: 0.1 }],
    ['mixup', { mixup: {} }],
    ['ema', { ema: { decay: 0.5 } }],
    ['clip-norm', { clipNorm: 0.01 }],
    ['class-weights', { classWeights: [2, 1, 1, 1, 1, 1, 1, 1, 1, 1] }],
    ['standardize', { standardize: true }],
  ],
};

for (const [kind, knobs] of Object.entries(KNOBS)) {
  test(`each of the ${kind} trains, publishes, changes the result, and is repeatable`, async () => {
    const digests = new Map<string, string>();
    for (const [name, training, network] of knobs) {
      const request = body(`knob-${name}`, training, network);
      const unchecked = { ...request, gradientCheck: false };
      const [job, again] = await Promise.all([train(app, request), train(app, unchecked)]);
      for (const { status, error, latest, model } of [job, again]) {
        assert.equal(status, 'succeeded', `${name}: ${error?.message}`);
        assert.ok(
          latest && Number.isFinite(latest.trainLoss) && Number.isFinite(latest.validationLoss),
          name,
        );
        assert.equal(model?.name, `knob-${name}`);
      }
      assert.deepEqual([job.model?.version, again.model?.version].sort(), [1, 2]);
      assert.equal(job.digest, again.digest, name);
      const same = digests.get(job.digest!);
      assert.equal(same, undefined, `${name} trains the same as ${same}`);
      digests.set(job.digest!, name);
    }
  });
}

test('the number of threads does not change the result, with any options', async () => {
  const training: Training = {
    epochs: 2,
    batchSize: 512,
    dropout: 0.3,
    clipNorm: 1,
    optimizer: { type: 'sgd', momentum: 0.9, nesterov: true },
    augmentation: { horizontalFlip: true, shift: 2, noise: 0.05, erase: 0.5 },
    mixup: { alpha: 0.3 },
    ema: { decay: 0.9 },
  };
  const jobs = [];
  for (const threads of [1, 2, 3]) {
    jobs.push(await train(app, body('threads', { ...training, threads }, { hidden: [16, 5] })));
  }
  const [first, ...others] = jobs.map(({ status, digest, latest }) => ({
    status,
    digest,
    latest: { ...latest, durationMs: 0, evaluationMs: 0 },
  }));
  assert.equal(first!.status, 'succeeded');
  for (const other of others) assert.deepEqual(other, first);
});

test('balanced weights of equally frequent classes change nothing, but others do', async () => {
  const plain = await train(app, body('weighted'));
  const balanced = await train(app, body('weighted', { classWeights: 'balanced' }));
  assert.deepEqual([balanced.status, balanced.digest], ['succeeded', plain.digest]);
  const lopsided = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
  const only = await train(app, body('weighted', { classWeights: lopsided, optimizer: { learningRate: 1 } }));
  assert.equal(only.status, 'succeeded');
  assert.ok(only.latest!.validationAccuracy! < plain.latest!.validationAccuracy!);
  const boots = await app.inject({
    method: 'POST',
    url: `/v1/models/weighted/versions/${only.model!.version}/predictions`,
    headers: { 'content-type': 'application/octet-stream' },
    payload: Buffer.alloc(784, 1),
  });
  assert.equal(boots.json().predictions[0].label, 9, 'the only class whose mistakes count');
});

test('a training starts after its gradient check, and the job has its report', async () => {
  const { gradientCheckReport: report } = await train(app, body('checked', {}, { hidden: [8, 5] }));
  assert.ok(report?.passed && report.kernel);
  assert.deepEqual([report.reason, report.advice, report.coordinates], [null, null, 200]);
  assert.ok(report.relativeError < report.tolerance);
  assert.equal(report.kernel.name, 'simd-float32');
  assert.ok(report.kernel.maxRelativeDifference <= 1e-4);
  const unchecked = await train(app, { ...body('checked'), gradientCheck: false });
  assert.deepEqual([unchecked.status, unchecked.gradientCheckReport], ['succeeded', null]);
});
