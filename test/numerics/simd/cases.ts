/** The kernel module, and networks to test it with. */

import { readFileSync } from 'node:fs';
import type { Distillation } from '../../../src/numerics/examples/distillation.ts';
import { type Architecture, parameterCount } from '../../../src/numerics/network/architecture.ts';
import { valueCount } from '../../../src/numerics/network/image-shape.ts';
import type { Standardization } from '../../../src/numerics/network/layers.ts';
import { randomUniform } from '../../../src/numerics/random.ts';
import {
  type EngineSettings,
  type Examples,
  PLAIN_SETTINGS,
  type StepPosition,
} from '../../../src/numerics/training/engine.ts';
import { dense } from '../../support/dense.ts';
import { stripes } from '../fixtures.ts';

export const kernelModule = new WebAssembly.Module(
  readFileSync(new URL('../../../src/numerics/simd/kernel.wasm', import.meta.url)),
);

export const SGD = { type: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 } as const;
/** A standardization by channel. */
export const CHANNELS = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.25] } satisfies Standardization;
export const UNCHANGED = PLAIN_SETTINGS.augmentation;
const PLAIN: EngineSettings = { ...PLAIN_SETTINGS, architecture: dense([13, 7, 3]), batchSize: 10, seed: 5 };

export function settingsOf(changes: Partial<EngineSettings>): EngineSettings {
  return { ...PLAIN, ...changes };
}

/** Weights and biases that float32 represents exactly, uniform within about ±2/√fan-in. */
export function parametersOf(architecture: Architecture, seed = 3): Float64Array {
  const scale = 2 / Math.sqrt(Math.min(valueCount(architecture.inputShape), 100));
  return Float64Array.from({ length: parameterCount(architecture) }, (_, i) =>
    Math.fround((2 * randomUniform(seed, 0, 7, i) - 1) * scale),
  );
}

export function examplesFor({ architecture }: EngineSettings, count: number): Examples {
  return stripes(count, valueCount(architecture.inputShape), architecture.classes, 1);
}

export function at(changes: Partial<StepPosition> = {}): StepPosition {
  return { epoch: 1, start: 0, learningRate: 0.1, measureNorm: false, ...changes };
}

/** Targets of 400 examples: each row has positive numbers with the sum 1. */
export function teachersOf(classes: number, weight: number): Distillation {
  const targets = new Float32Array(400 * classes);
  for (let row = 0; row < targets.length; row += classes) {
    const odds = Array.from({ length: classes }, (_, k) => 1 + ((row + 7 * k * k + 3 * k) % 11));
    const sum = odds.reduce((total, each) => total + each, 0);
    for (const [k, each] of odds.entries()) targets[row + k] = each / sum;
  }
  return { weight, targets };
}

const convolutional = (architecture: Partial<Architecture>): Architecture => ({
  ...dense([63, 3]),
  inputShape: [9, 7],
  convolutions: [[5], [4, 20]],
  ...architecture,
});

/** Networks that begin with convolutions, each with other options. */
export const CONVOLUTIONAL: Record<string, Partial<EngineSettings>> = {
  'one convolution, no hidden layer': {
    architecture: convolutional({ inputShape: [4, 4], convolutions: [[16]] }),
    batchSize: 5,
  },
  'two stages of convolutions': { architecture: convolutional({ hidden: [17, 9] }), batchSize: 33 },
  'a stage of three convolutions': {
    architecture: convolutional({ convolutions: [[3, 18, 33]] }),
    activation: 'tanh',
  },
  'convolutions of colour images, standardized by channel, with momentum and clipping': {
    architecture: convolutional({ inputShape: [6, 9, 3], hidden: [12] }),
    standardization: CHANNELS,
    activation: 'silu',
    optimizer: { ...SGD, momentum: 0.9, weightDecay: 0.01 },
    clipNorm: 0.5,
  },
  'group norm, with Adam, EMA and mixup': {
    architecture: convolutional({ convolutions: [[4], [8, 20]], norm: 'group', hidden: [13] }),
    activation: 'leaky-relu',
    optimizer: { type: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.01 },
    ema: { decay: 0.9 },
    mixup: { alpha: 1 },
    batchSize: 19,
  },
  'group norm of standardized pixels, with dropout, penalties and label smoothing': {
    architecture: convolutional({
      inputShape: [8, 12],
      convolutions: [[12, 16]],
      norm: 'group',
      hidden: [14, 21],
    }),
    activation: 'sigmoid',
    standardization: { mean: 0.3, std: 0.4 },
    dropout: 0.3,
    l1: 1e-3,
    l2: 1e-2,
    labelSmoothing: 0.1,
    batchSize: 21,
  },
  'convolutions of augmented images, with distillation and class weights': {
    architecture: convolutional({ inputShape: [28, 28], hidden: [12] }),
    augmentation: { ...UNCHANGED, horizontalFlip: true, shift: 3, noise: 0.1, erase: 0.5 },
    distillation: teachersOf(3, 0.4),
    classWeights: Float64Array.of(0.5, 2, 1.25),
    batchSize: 18,
  },
};
