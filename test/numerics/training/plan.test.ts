import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdOut } from '../../../src/numerics/examples/batches.ts';
import { pixelStatistics } from '../../../src/numerics/examples/statistics.ts';
import type { Examples } from '../../../src/numerics/training/engine.ts';
import { engineSettings } from '../../../src/numerics/training/plan.ts';
import { firstIndices } from '../fixtures.ts';
import { plan, run, train } from '../trainings.ts';

test('an engine gets the settings of the plan', () => {
  const told = {
    activation: 'tanh',
    optimizer: { type: 'rmsprop', momentum: 0.5, weightDecay: 0.1, alpha: 0.9, epsilon: 1e-8 },
    l1: 0.1,
    l2: 0.2,
    dropout: 0.3,
    labelSmoothing: 0.4,
    clipNorm: 5,
    ema: { decay: 0.99 },
    augmentation: { horizontalFlip: true, shift: 1, rotation: 9, scale: 0.2, noise: 0.1, erase: 0.2 },
    mixup: { alpha: 0.3 },
    distillation: { weight: 0.3, targets: new Float32Array(train.labels.length * plan.architecture.classes) },
  } as const;
  const whole = { ...plan, ...told };
  assert.deepEqual(engineSettings(whole, train, firstIndices(80)), { ...whole, standardization: null });
});

test('the targets of teachers must have a row for each training image', () => {
  const distillation = { weight: 0.3, targets: new Float32Array(7) };
  assert.throws(() => engineSettings({ ...plan, distillation }, train, firstIndices(80)), {
    name: 'RangeError',
    message: `${train.labels.length} images cannot have 7 targets.`,
  });
});

test('balanced class weights come from the training split, and given ones are used unchanged', () => {
  const labels = Uint8Array.of(0, 0, 0, 1, 1, 2, 3, 3);
  const examples: Examples = { labels, pixels: new Uint8Array(8 * 16) };
  const weightsOf = (classWeights: 'balanced' | number[]) =>
    engineSettings({ ...plan, batchSize: 1, classWeights }, examples, Uint32Array.of(0, 1, 3, 5, 6, 7))
      .classWeights;
  assert.deepEqual(weightsOf('balanced'), Float64Array.of(0.75, 1.5, 1.5, 0.75));
  assert.deepEqual(weightsOf([1, 2, 3, 0]), Float64Array.of(1, 2, 3, 0));
  assert.throws(() => weightsOf([1, 2]), /4 classes cannot have 2 weights/);
});

test('pixels are standardized by the training split alone, and the result contains mean and deviation', () => {
  const { train: indices } = holdOut(train.labels, plan.holdout, plan.seed);
  const expected = pixelStatistics(train, indices, plan.architecture.inputShape);
  assert.notDeepEqual(expected, pixelStatistics(train, firstIndices(100), plan.architecture.inputShape));
  assert.deepEqual(run({ standardize: true }).result.standardization, expected);
});

test('rejects initial parameters of another network', () => {
  assert.throws(() => run({ initialParameters: new Float32Array(3) }), /has 218 parameters, not 3/);
});
