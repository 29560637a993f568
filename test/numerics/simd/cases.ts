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
