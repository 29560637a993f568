import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolvedTrainingRequestSchema, trainingRequestSchema } from '../../../src/domain/jobs/request.ts';

test("a request with only a data set trains the notebook's network", () => {
  assert.deepEqual(trainingRequestSchema.parse({ dataset: 'fashion-mnist' }), {
    dataset: 'fashion-mnist',
    seed: 0,
    metadata: {},
    network: { convolutions: [], norm: 'none', hidden: [40], activation: 'relu', init: 'uniform-fan-in' },
    training: {
      epochs: 10,
      batchSize: 64,
      threads: 1,
      optimizer: { type: 'sgd', learningRate: 0.1, momentum: 0, nesterov: false, weightDecay: 0 },
      schedule: { type: 'constant' },
      l1: 0,
      l2: 0,
      dropout: 0,
      labelSmoothing: 0,
      clipNorm: null,
      classWeights: null,
      standardize: false,
      augmentation: { horizontalFlip: false, shift: 0, rotation: 0, scale: 0, noise: 0, erase: 0 },
      mixup: null,
      distillation: null,
      ema: null,
      validation: {},
      earlyStopping: null,
      budget: null,
      checkpointEverySeconds: 5,
    },
    gradientCheck: true,
    warmStart: null,
    publish: { promote: 'never', evenIfNotLearned: false },
    testSet: 'every-epoch',
    priority: 0,
  });
});

test('a nested object with some fields gets the defaults of the others', () => {
  const { network, training } = trainingRequestSchema.parse({
    dataset: 'd',
    network: { hidden: [] },
    training: { optimizer: { learningRate: 0.5 }, validation: {} },
  });
  assert.deepEqual(network, {
    convolutions: [],
    norm: 'none',
    hidden: [],
    activation: 'relu',
    init: 'uniform-fan-in',
  });
  assert.deepEqual(training.optimizer, {
    type: 'sgd',
    learningRate: 0.5,
    momentum: 0,
    nesterov: false,
    weightDecay: 0,
  });
  assert.deepEqual(training.validation, {});
  assert.equal(training.epochs, 10);
});

test('accepts the limits and rejects values just beyond them', () => {
  const fits = (body: object) => trainingRequestSchema.safeParse({ dataset: 'd', ...body }).success;
  const training = (part: object) => fits({ training: part });
  const entries = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
  const cases: [name: string, inside: boolean, outside: boolean][] = [
    [
      'layers',
      fits({ network: { hidden: new Array(8).fill(1) } }),
      fits({ network: { hidden: new Array(9).fill(1) } }),
    ],
    ['units', fits({ network: { hidden: [4096] } }), fits({ network: { hidden: [4097] } })],
    ['fewest units', fits({ network: { hidden: [1] } }), fits({ network: { hidden: [0] } })],
    ['epochs', training({ epochs: 10_000 }), training({ epochs: 10_001 })],
    ['fewest epochs', training({ epochs: 1 }), training({ epochs: 0 })],
    ['batch', training({ batchSize: 1024 }), training({ batchSize: 1025 })],
    [
      'rate',
      training({ optimizer: { learningRate: 100 } }),
      training({ optimizer: { learningRate: 100.1 } }),
    ],
    [
      'lowest rate',
      training({ optimizer: { learningRate: 1e-9 } }),
      training({ optimizer: { learningRate: 0 } }),
    ],
    ['clip norm', training({ clipNorm: 1e6 }), training({ clipNorm: 1.1e6 })],
    ['smallest clip norm', training({ clipNorm: 1e-6 }), training({ clipNorm: 1e-300 })],
    ...(['rmsprop', 'adam', 'adamw'] as const).map((type): [string, boolean, boolean] => [
      `smallest epsilon of ${type}`,
      training({ optimizer: { type, epsilon: 1e-15 } }),
      training({ optimizer: { type, epsilon: 9e-16 } }),
    ]),
    ['class weights', training({ classWeights: [0, 1e6] }), training({ classWeights: [0, 1.1e6] })],
    ['smallest class weight', training({ classWeights: [0, 1e-6] }), training({ classWeights: [0, 9e-7] })],
    ['seed', fits({ seed: 2 ** 32 - 1 }), fits({ seed: 2 ** 32 })],
    ['lowest seed', fits({ seed: 0 }), fits({ seed: -1 })],
    ['fraction', training({ validation: { fraction: 0.99 } }), training({ validation: { fraction: 1 } })],
    ['name', fits({ modelName: 'a'.repeat(64) }), fits({ modelName: 'a'.repeat(65) })],
    ['metadata', fits({ metadata: entries(16) }), fits({ metadata: entries(17) })],
    ['text', fits({ metadata: { k: 'x'.repeat(256) } }), fits({ metadata: { k: 'x'.repeat(257) } })],
  ];
  for (const [name, inside, outside] of cases) assert.deepEqual([inside, outside], [true, false], name);
});

test('older requests beyond a later limit can still be shown', () => {
  const training = {
    clipNorm: 1e-300,
    classWeights: [0, 1e-40],
    optimizer: { type: 'adam', epsilon: 1e-46 },
  };
  assert.ok(resolvedTrainingRequestSchema.safeParse({ dataset: 'd', modelName: 'm', training }).success);
});
