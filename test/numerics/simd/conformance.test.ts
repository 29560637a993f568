import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocks } from '../../../src/numerics/network/architecture.ts';
import { createKernelEngine } from '../../../src/numerics/simd/kernel-engine.ts';
import type { EngineSettings } from '../../../src/numerics/training/engine.ts';
import { dense } from '../../support/dense.ts';
import { assertNear, firstIndices, norm } from '../fixtures.ts';
import {
  at,
  CHANNELS,
  CONVOLUTIONAL,
  examplesFor,
  kernelModule,
  parametersOf,
  settingsOf,
  teachersOf,
  UNCHANGED,
} from './cases.ts';
import { createPlainTraining, measure } from './plain-network.ts';

const CASES: Record<string, Partial<EngineSettings>> = {
  'no hidden layer': { architecture: dense([13, 3]) },
  'one hidden layer': {},
  'widths below, at and above multiples of four': { architecture: dense([17, 5, 8, 11, 2]) },
  'eight hidden layers': { architecture: dense([9, 6, 5, 7, 4, 6, 5, 7, 6, 4]), batchSize: 5 },
  'layers of several panels': { architecture: dense([70, 101, 47, 5]) },
  'the notebook’s network': { architecture: dense([784, 40, 10]), batchSize: 64 },
  'the largest images, 64×64 in colour': { architecture: dense([12_288, 5, 3]), batchSize: 4 },
  'a hundred classes': { architecture: dense([30, 20, 100]), batchSize: 33 },
  'classes whose labels take two bytes': { architecture: dense([30, 20, 300]), batchSize: 333 },
  'batches longer than a block of examples': { architecture: dense([40, 12, 4]), batchSize: 300 },
  'batch 1': { batchSize: 1 },
  'leaky-relu': { architecture: dense([13, 7, 6, 3]), activation: 'leaky-relu' },
  tanh: { architecture: dense([13, 7, 6, 3]), activation: 'tanh' },
  sigmoid: { architecture: dense([13, 7, 6, 3]), activation: 'sigmoid' },
  identity: { architecture: dense([13, 7, 6, 3]), activation: 'identity' },
  silu: { architecture: dense([13, 7, 6, 3]), activation: 'silu' },
  dropout: { architecture: dense([13, 27, 14, 3]), dropout: 0.4 },
  'dropout where zero is no sign of it': {
    architecture: dense([13, 27, 14, 3]),
    dropout: 0.4,
    activation: 'tanh',
  },
  'label smoothing': { labelSmoothing: 0.1 },
  'class weights': { classWeights: Float64Array.of(0.5, 2, 1.25) },
  'standardized pixels': { architecture: dense([30, 50, 3]), standardization: { mean: 0.3, std: 0.4 } },
  'channels standardized by their own statistics': {
    architecture: dense([30, 50, 3]),
    standardization: CHANNELS,
  },
  'wide layers of standardized channels': {
    architecture: dense([192, 201, 3]),
    standardization: CHANNELS,
    labelSmoothing: 0.2,
  },
  'augmented colour images, mixed': {
    architecture: dense([297, 12, 3], [11, 9, 3]),
    batchSize: 33,
    standardization: CHANNELS,
    augmentation: { horizontalFlip: true, shift: 2, rotation: 30, scale: 0.3, noise: 0.1, erase: 0.5 },
    mixup: { alpha: 1 },
    clipNorm: 0.5,
  },
  'an L1 penalty': { l1: 0.01 },
  'an L2 penalty': { l2: 0.02 },
  'an average of standardized pixels, in several panels': {
    architecture: dense([70, 101, 47, 5]),
    standardization: { mean: 0.3, std: 0.4 },
    ema: { decay: 0.9 },
  },
  augmentation: {
    architecture: dense([784, 12, 3]),
    augmentation: { ...UNCHANGED, horizontalFlip: true, shift: 3, noise: 0.1, erase: 0.5 },
  },
  mixup: { mixup: { alpha: 1 } },
  'mixup of another seed': { mixup: { alpha: 1 }, seed: 6 },
  'mixup of augmented images, class weights and label smoothing': {
    architecture: dense([784, 12, 3]),
    batchSize: 33,
    augmentation: { ...UNCHANGED, horizontalFlip: true, shift: 3, noise: 0, erase: 0.5 },
    mixup: { alpha: 0.5 },
    classWeights: Float64Array.of(0.5, 2, 1.25),
    labelSmoothing: 0.1,
    standardization: { mean: 0.3, std: 0.4 },
  },
  distillation: { distillation: teachersOf(3, 0.4) },
  'distillation without labels, of ten classes': {
    architecture: dense([784, 12, 10]),
    batchSize: 33,
    distillation: teachersOf(10, 1),
  },
  'distillation with mixup, class weights and label smoothing': {
    distillation: teachersOf(3, 0.7),
    mixup: { alpha: 1 },
    classWeights: Float64Array.of(0.5, 2, 1.25),
    labelSmoothing: 0.1,
  },
  ...CONVOLUTIONAL,
};

for (const [name, changes] of Object.entries(CASES)) {
  const settings = settingsOf(changes);
  const { architecture, batchSize } = settings;
  const initial = parametersOf(architecture);
  const examples = examplesFor(settings, 2 * batchSize + 3);

  test(`loss, correct predictions and gradient blocks agree with the reference: ${name}`, () => {
    const engine = createKernelEngine(kernelModule, settings, initial);
    for (const size of [batchSize, Math.ceil(batchSize / 3)]) {
      const batch = firstIndices(size).map((i) => 2 * batchSize - 1 - i);
      const position = at({ epoch: 3, start: 50 });
      const expected = measure(settings, initial, examples, batch, position);
      const gradient = new Float32Array(initial.length);
      engine.gradient(gradient, examples, batch, position);
      for (const { name: block, start, end } of blocks(architecture)) {
        assertNear(gradient.subarray(start, end), expected.gradient.subarray(start, end), 1e-5, block);
      }
    }
    assert.deepEqual(engine.parameters, Float32Array.from(initial), 'nothing was updated');
  });

  test(`three steps agree with the reference: ${name}`, () => {
    const engine = createKernelEngine(kernelModule, settings, initial);
    const plain = createPlainTraining(settings, initial);
    const sums = { loss: 0, correct: 0 };
    for (const [step, size] of [batchSize, Math.ceil(batchSize / 2), batchSize].entries()) {
      const batch = firstIndices(size).map((i) => i + step);
      const position = at({ start: 7 * step, measureNorm: step === 1 });
      engine.step(examples, batch, position, sums);
      const expected = plain.step(examples, batch, position);
      assertNear([sums.loss], [expected.loss], 1e-5, 'loss');
      assert.equal(sums.correct, expected.correct);
      if (position.measureNorm) assertNear([engine.gradientNorm()], [expected.norm], 1e-5, 'norm');
    }
    assertNear(engine.parameters, plain.parameters, 1e-5, 'parameters');
  });
}

const OPTIMIZERS: Record<string, Partial<EngineSettings>> = {
  'plain descent with weight decay': {
    optimizer: { type: 'sgd', momentum: 0, nesterov: false, weightDecay: 0.1 },
  },
  momentum: { optimizer: { type: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0.01 } },
  'Nesterov momentum': { optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 0 } },
  rmsprop: {
    optimizer: { type: 'rmsprop', momentum: 0, weightDecay: 0.01, alpha: 0.9, epsilon: 1e-6 },
  },
  'rmsprop with momentum': {
    optimizer: { type: 'rmsprop', momentum: 0.5, weightDecay: 0, alpha: 0.99, epsilon: 1e-6 },
  },
  adam: { optimizer: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weightDecay: 0.1 } },
  adamw: { optimizer: { type: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weightDecay: 0.1 } },
};

const VARIANTS = [
  ['not clipped', {}],
  ['clipped', { clipNorm: 0.05 }],
  ['averaged', { ema: { decay: 0.4 } }],
  ['clipped and averaged', { clipNorm: 0.05, ema: { decay: 0.4 } }],
] as const;

for (const [name, changes] of Object.entries(OPTIMIZERS)) {
  for (const [variant, others] of VARIANTS) {
    test(`eight steps agree with PyTorch’s formulas: ${name}, ${variant}`, () => {
      const settings = settingsOf({ architecture: dense([21, 14, 6, 3]), l2: 1e-3, ...others, ...changes });
      const initial = parametersOf(settings.architecture);
      const examples = examplesFor(settings, 100);
      const engine = createKernelEngine(kernelModule, settings, initial);
      const plain = createPlainTraining(settings, initial);
      const sums = { loss: 0, correct: 0 };
      for (let step = 0; step < 8; step++) {
        const batch = firstIndices(10).map((i) => i + 10 * step);
        engine.step(examples, batch, at({ learningRate: 0.01 }), sums);
        plain.step(examples, batch, at({ learningRate: 0.01 }));
      }
      const moved = norm(plain.parameters.map((w, i) => w - initial[i]!));
      const off = norm(plain.parameters.map((w, i) => w - engine.parameters[i]!));
      assert.ok(off < 1e-3 * moved, `off by ${off} after moving ${moved}`);
    });
  }
}

test('the gradient agrees with the reference for every hidden width from 1 to 150', () => {
  for (let width = 1; width <= 150; width++) {
    const settings = settingsOf({ architecture: dense([5, width, 3]), batchSize: 4 });
    const initial = parametersOf(settings.architecture);
    const examples = examplesFor(settings, 4);
    const gradient = new Float32Array(initial.length);
    createKernelEngine(kernelModule, settings, initial).gradient(gradient, examples, firstIndices(4), at());
    const expected = measure(settings, initial, examples, firstIndices(4), at()).gradient;
    assertNear(gradient, expected, 1e-5, `width ${width}`);
  }
});

for (const value of [0, 255]) {
  test(`images with ${value} in every pixel agree with the reference`, () => {
    const settings = settingsOf({ architecture: dense([784, 12, 3]) });
    const initial = parametersOf(settings.architecture);
    const examples = { pixels: new Uint8Array(7840).fill(value), labels: new Uint8Array(10).fill(1) };
    const gradient = new Float32Array(initial.length);
    createKernelEngine(kernelModule, settings, initial).gradient(gradient, examples, firstIndices(10), at());
    assertNear(
      gradient,
      measure(settings, initial, examples, firstIndices(10), null).gradient,
      1e-5,
      'gradient',
    );
  });
}

test('logits of ±10,000 give finite losses and gradients', () => {
  const settings = settingsOf({ architecture: dense([4, 3]), batchSize: 3 });
  const initial = new Float64Array(15);
  initial.set([1e4, -1e4, 0], 12);
  const examples = { pixels: new Uint8Array(12), labels: Uint8Array.of(0, 1, 2) };
  const engine = createKernelEngine(kernelModule, settings, initial);
  const gradient = new Float32Array(15);
  engine.gradient(gradient, examples, firstIndices(3), at());
  const expected = measure(settings, initial, examples, firstIndices(3), null);
  assertNear(gradient, expected.gradient, 1e-6, 'gradient');
  const sums = { loss: 0, correct: 0 };
  engine.step(examples, firstIndices(3), at(), sums);
  assert.deepEqual(sums, { loss: 30000, correct: 1 });
});

test('non-finite parameters make the loss NaN, even behind a ReLU', () => {
  const settings = settingsOf({});
  const initial = parametersOf(settings.architecture).fill(Number.NaN, 0, 13);
  const sums = { loss: 0, correct: 0 };
  const engine = createKernelEngine(kernelModule, settings, initial);
  engine.step(examplesFor(settings, 10), firstIndices(10), at(), sums);
  assert.ok(Number.isNaN(sums.loss));
});

test('rejects batches and parameters of the wrong length', () => {
  const settings = settingsOf({});
  const engine = createKernelEngine(kernelModule, settings, parametersOf(settings.architecture));
  for (const size of [0, 11]) {
    assert.throws(
      () =>
        engine.step(examplesFor(settings, 20), firstIndices(size), at(), {
          loss: 0,
          correct: 0,
        }),
      /must have 1 to 10 examples, but has/,
    );
  }
  assert.throws(() => createKernelEngine(kernelModule, settings, new Float64Array(3)), /parameters, not 3/);
  const large = settingsOf({ batchSize: 1025 });
  assert.throws(
    () => createKernelEngine(kernelModule, large, new Float64Array(122)),
    /must have 1 to 1,024 examples, but has /,
  );
  assert.throws(
    () => createKernelEngine(kernelModule, settings, new Float64Array(122), { threads: 65 }),
    /1 to 64 threads/,
  );
});
