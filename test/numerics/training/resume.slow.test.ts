/** Interrupted trainings equal uninterrupted ones, whenever they are interrupted. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import { randomBits } from '../../../src/numerics/random.ts';
import { createReferenceEngine } from '../../../src/numerics/reference/reference-engine.ts';
import type { Augmentation, OptimizerSettings } from '../../../src/numerics/training/engine.ts';
import { PLAIN_SETTINGS } from '../../../src/numerics/training/engine.ts';
import type { TrainingPlan } from '../../../src/numerics/training/plan.ts';
import { dense } from '../../support/dense.ts';
import { planOf, stripes } from '../fixtures.ts';
import {
  createKernel,
  inSharedMemory,
  onTwoThreads,
  runInterrupted,
  type Training,
} from '../interruptions.ts';
import { plan, recordsOf, testExamples, train } from '../trainings.ts';

const SEEDS = [1, 2, 3, 4];
const small = { train: inSharedMemory(train), test: testExamples };
const pictures = { train: inSharedMemory(stripes(60, 784, 4, 1)), test: stripes(20, 784, 4, 2) };

const sgd = { type: 'sgd', momentum: 0, nesterov: false, weightDecay: 0.01 } as const;
const rmsprop = { type: 'rmsprop', momentum: 0, alpha: 0.9, epsilon: 1e-8, weightDecay: 0.01 } as const;
const adam = { type: 'adam', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01 } as const;
const early = { monitor: 'validationLoss', patience: 3, minDelta: 0, restoreBest: true } as const;
/** A learning rate at which the loss rises and falls, so that an epoch in the middle is the best. */
const restless: Partial<TrainingPlan> = {
  epochs: 60,
  learningRate: 1.5,
  schedule: { type: 'constant' },
  earlyStopping: early,
};

const OPTIMIZERS: Record<string, OptimizerSettings> = {
  'plain descent': sgd,
  momentum: { ...sgd, momentum: 0.9 },
  nesterov: { ...sgd, momentum: 0.9, nesterov: true },
  rmsprop,
  'rmsprop with momentum': { ...rmsprop, momentum: 0.5 },
  adam,
  adamw: { ...adam, type: 'adamw' },
};

const AUGMENTATIONS: Record<string, Partial<Augmentation>> = {
  'horizontal flips': { horizontalFlip: true },
  shifts: { shift: 2 },
  noise: { noise: 0.1 },
  erasure: { erase: 0.5 },
};

const CHANGES: Record<string, Partial<TrainingPlan>> = {
  dropout: { dropout: 0.3 },
  'label smoothing': { labelSmoothing: 0.1 },
  clipping: { clipNorm: 0.1 },
  mixup: { mixup: { alpha: 0.5 } },
  'an average': { ema: { decay: 0.9 } },
  'an average with momentum and clipping': {
    optimizer: { ...sgd, momentum: 0.9 },
    clipNorm: 0.1,
    ema: { decay: 0.5 },
  },
  'l1, balanced classes and standardized pixels': {
    l1: 0.001,
    classWeights: 'balanced',
    standardize: true,
  },
  'early stopping that restores the best': restless,
  'early stopping that restores the best average': { ...restless, ema: { decay: 0.5 } },
  'early stopping that keeps the last': { ...restless, earlyStopping: { ...early, restoreBest: false } },
  'a target': { ...restless, targetValidationAccuracy: 1 },
  'a plateau': {
    epochs: 12,
    schedule: { type: 'plateau', factor: 0.5, patience: 1, minDelta: 0.02 },
  },
  'one cycle': { schedule: { type: 'one-cycle', peak: 1, warmupFraction: 0.3, final: 0.01 } },
  'a warm start': { initialParameters: new Float32Array(218).fill(0.125) },
  'nothing held out': { holdout: null },
  'a stop within an epoch': { stopAtStep: 8 },
  'a stop at the end of an epoch': { stopAtStep: 10 },
  'a stop within an epoch, restoring the best': { ...restless, stopAtStep: 12 },
};

const trainings: Record<string, Training> = {};
for (const [name, optimizer] of Object.entries(OPTIMIZERS)) {
  const learningRate = optimizer.type === 'sgd' ? 0.3 : 0.01;
  trainings[name] = { ...small, plan: { ...plan, optimizer, learningRate } };
}
for (const [name, changes] of Object.entries(AUGMENTATIONS)) {
  const augmentation = { ...PLAIN_SETTINGS.augmentation, ...changes };
  const picturePlan = planOf(dense([784, 6, 4]), { epochs: 3, holdout: { fraction: 0.2 }, augmentation });
  trainings[name] = { ...pictures, plan: picturePlan };
}
for (const [name, changes] of Object.entries(CHANGES)) {
  trainings[name] = { ...small, plan: { ...plan, ...changes } };
}

/** Selects about one boundary in `every`, by the seed. */
function atRandom(seed: number, every: number) {
  return (boundary: number) => randomBits(seed, 0, 99, boundary) % every === 0;
}

for (const [name, training] of Object.entries(trainings)) {
  for (const [engine, create] of [
    ['the reference', createReferenceEngine],
    ['the kernel', createKernel],
  ] as const) {
    test(`${engine} resumes bit for bit after every step, every epoch and random steps: ${name}`, () => {
      const undisturbed = runInterrupted(training, create);
      for (const isInterrupted of [() => true, ...SEEDS.map((seed) => atRandom(seed, 3))]) {
        const resumed = runInterrupted(training, create, isInterrupted);
        assert.ok(resumed.interruptions > 0);
        assert.deepEqual(resumed.events, undisturbed.events);
        assert.deepEqual(resumed.result, undisturbed.result);
      }
    });
  }

  test(`the kernel on two threads resumes bit for bit: ${name}`, (t) => {
    const undisturbed = runInterrupted(training, createKernel);
    const threads = onTwoThreads(training.train.pixels);
    t.after(threads.end);
    const resumed = runInterrupted(training, threads.create, (boundary) => [3, 5, 6].includes(boundary));
    assert.equal(resumed.interruptions, 3);
    assert.deepEqual(resumed.events, undisturbed.events);
    assert.deepEqual(resumed.result, undisturbed.result);
  });
}

test('resumed trainings still end early, and restore the best epoch', () => {
  const ends = Object.keys(CHANGES).map((name) => {
    const { events, result } = runInterrupted(trainings[name]!, createReferenceEngine);
    return [name, result.stoppedAt.reason, result.epoch - recordsOf(events).length];
  });
  assert.deepEqual(
    ends.filter(([, reason]) => reason !== 'completed'),
    [
      ['early stopping that restores the best', 'early-stopping', -3],
      ['early stopping that restores the best average', 'early-stopping', -3],
      ['early stopping that keeps the last', 'early-stopping', 0],
      ['a target', 'target-reached', 0],
      ['a stop within an epoch', 'budget', 0],
      ['a stop at the end of an epoch', 'budget', 0],
      ['a stop within an epoch, restoring the best', 'budget', -2],
    ],
  );
});

test('resumes bit for bit on real images with all random options and all state', async (t) => {
  const dataset = await loadFashionMnist(fileURLToPath(new URL('../../../data', import.meta.url)));
  const first = (n: number, { pixels, labels } = dataset.train) => ({
    pixels: pixels.subarray(0, 784 * n),
    labels: labels.subarray(0, n),
  });
  const training: Training = {
    train: inSharedMemory(first(1500)),
    test: first(300, dataset.test),
    plan: planOf(dense([784, 40, 10]), {
      epochs: 6,
      batchSize: 64,
      optimizer: { ...adam, type: 'adamw' },
      learningRate: 0.01,
      schedule: { type: 'plateau', factor: 0.5, patience: 0, minDelta: 0.05 },
      dropout: 0.2,
      labelSmoothing: 0.05,
      clipNorm: 1,
      ema: { decay: 0.9 },
      classWeights: 'balanced',
      standardize: true,
      augmentation: { horizontalFlip: true, shift: 1, rotation: 5, scale: 0.1, noise: 0.05, erase: 0.2 },
      mixup: { alpha: 0.3 },
      holdout: { fraction: 0.2 },
      earlyStopping: { ...early, patience: 2 },
    }),
  };
  const { events, result } = runInterrupted(training, createKernel);
  const threads = onTwoThreads(training.train.pixels);
  t.after(threads.end);
  for (const seed of SEEDS) {
    const resumed = runInterrupted(training, threads.create, atRandom(seed, 12));
    assert.ok(resumed.interruptions > 1);
    assert.deepEqual(resumed.events, events);
    assert.deepEqual(resumed.result, result);
  }
});
