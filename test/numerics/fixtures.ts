/** Fixtures of scripts/fixtures/numerics.py and knobs.py; vector assertions. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { toLabels } from '../../src/numerics/examples/labels.ts';
import type { Activation } from '../../src/numerics/network/activations.ts';
import { type Architecture, blocks } from '../../src/numerics/network/architecture.ts';
import type { Network } from '../../src/numerics/network/layers.ts';
import { randomBits } from '../../src/numerics/random.ts';
import {
  type EngineSettings,
  type Examples,
  PLAIN_SETTINGS,
  type StepPosition,
} from '../../src/numerics/training/engine.ts';
import type { TrainingPlan } from '../../src/numerics/training/plan.ts';
import type { PlateauSchedule, Schedule } from '../../src/numerics/training/schedules.ts';

interface Labelled {
  readonly name: string;
  readonly sizes: number[];
  readonly l2: number;
  readonly pixels: number[];
  readonly labels: number[];
}

export interface NetworkFixture extends Labelled {
  readonly parameters: number[];
  readonly logits: number[];
  readonly probabilities: number[];
  readonly loss: number;
  readonly correct: number;
  readonly gradient: number[];
}

export interface DescentFixture extends Labelled {
  readonly batchSize: number;
  readonly learningRate: number;
  readonly initial: number[];
  readonly losses: number[];
  readonly gradientNorms: number[];
  readonly final: number[];
}

/** Expected values from PyTorch: scripts/fixtures/knobs.py. */
export interface TrainingFixture extends Omit<Labelled, 'l2'> {
  readonly settings: Omit<
    EngineSettings,
    'architecture' | 'batchSize' | 'classWeights' | 'augmentation' | 'distillation'
  > & {
    readonly classWeights: number[] | null;
    readonly distillation: { readonly weight: number; readonly targets: number[] } | null;
  };
  readonly batchSize: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly schedule: Schedule;
  readonly initial: number[];
  readonly firstGradient: number[];
  readonly losses: number[];
  readonly gradientNorms: number[];
  readonly final: number[];
}

export interface KnobsFixture {
  readonly activations: {
    readonly name: Activation;
    readonly z: number[];
    readonly values: number[];
    readonly derivatives: number[];
  }[];
  readonly trainings: TrainingFixture[];
  readonly rates: {
    readonly schedule: Schedule;
    readonly learningRate: number;
    readonly epochs: number;
    readonly stepsPerEpoch: number;
    readonly rates: number[];
  }[];
  readonly plateaus: {
    readonly schedule: PlateauSchedule;
    readonly learningRate: number;
    readonly losses: number[];
    readonly rates: number[];
  }[];
  readonly balanced: { readonly labels: number[]; readonly weights: number[] }[];
  readonly pixels: {
    readonly pixels: number[];
    readonly inputs: number;
    readonly mean: number;
    readonly std: number;
  };
}

function read(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/numerics/${name}`, import.meta.url));
}

function readJson<T>(name: string): T {
  return JSON.parse(read(name).toString()) as T;
}

/** The data of a version 1 .npy file. The dtype is not checked. */
function readNpy(name: string): ArrayBuffer {
  const bytes = read(name);
  return new Uint8Array(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer;
}

export const networks = readJson<NetworkFixture[]>('networks.json');
export const knobs = readJson<KnobsFixture>('knobs.json');
export const descents = readJson<DescentFixture[]>('descents.json');

/** 784-40-10 on five images, half of whose pixels are zero. */
export function scipyFixture() {
  const { labels, ...figures } = readJson<{
    sizes: number[];
    labels: number[];
    loss: number;
    checkGrad: number;
  }>('scipy.json');
  return {
    ...figures,
    examples: { pixels: new Uint8Array(readNpy('images.npy')), labels: Uint8Array.from(labels) },
    parameters: new Float64Array(readNpy('parameters.npy')),
    analytic: new Float64Array(readNpy('analytic.npy')),
    numeric: new Float64Array(readNpy('numeric.npy')),
  };
}

export function reluNetwork(architecture: Architecture): Network {
  return { architecture, activation: 'relu', standardization: null };
}

/** Settings for plain gradient descent on plain cross-entropy, with changes. */
export function settingsOf(
  architecture: Architecture,
  changes: Partial<EngineSettings> = {},
): EngineSettings {
  return { ...PLAIN_SETTINGS, architecture, batchSize: 64, ...changes };
}

/** A plan for one epoch of plain gradient descent at a constant rate, with changes. */
export function planOf(architecture: Architecture, changes: Partial<TrainingPlan> = {}): TrainingPlan {
  return {
    ...PLAIN_SETTINGS,
    architecture,
    initialization: 'uniform-fan-in',
    initialParameters: null,
    epochs: 1,
    batchSize: 16,
    learningRate: 0.1,
    schedule: { type: 'constant' },
    classWeights: null,
    standardize: false,
    holdout: null,
    earlyStopping: null,
    targetValidationAccuracy: null,
    stopAtStep: null,
    ...changes,
  };
}

export function at(learningRate: number, changes: Partial<StepPosition> = {}): StepPosition {
  return { epoch: 1, start: 0, learningRate, measureNorm: true, ...changes };
}

export function examplesOf({ pixels, labels }: Pick<Labelled, 'pixels' | 'labels'>): Examples {
  return { pixels: Uint8Array.from(pixels), labels: Uint8Array.from(labels) };
}

export function firstIndices(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => i);
}

/** Learnable images: each class has bright pixels of its own on top of noise; half of the pixels are zero. */
export function stripes(count: number, inputs: number, classes: number, seed = 0): Examples {
  const labels = toLabels(
    classes,
    Array.from({ length: count }, (_, n) => n % classes),
  );
  const pixels = Uint8Array.from({ length: count * inputs }, (_, i) => {
    const bits = randomBits(seed, 0, 99, i);
    const lit = (i % inputs) % classes === labels[Math.floor(i / inputs)];
    return lit ? 128 + (bits & 127) : bits & 1 ? (bits >>> 1) & 127 : 0;
  });
  return { pixels, labels };
}

export function norm(values: Iterable<number>): number {
  let squares = 0;
  for (const value of values) squares += value ** 2;
  return Math.sqrt(squares);
}

/** `vector − start`: the change by a training, which a comparison of the weights themselves would hide. */
export function changeFrom(start: ArrayLike<number>, vector: ArrayLike<number>): Float64Array {
  return Float64Array.from(vector, (value, i) => value - start[i]!);
}

/** ‖actual − expected‖ ≤ tolerance · ‖expected‖ */
export function assertNear(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, `${what}: length`);
  const error = norm(Array.from(expected, (value, i) => actual[i]! - value));
  const scale = norm(Array.from(expected));
  assert.ok(error <= tolerance * scale, `${what}: off by ${error}, of ${scale}`);
}

/** `assertNear` for each of W1, b1, W2, b2, … */
export function assertBlocksNear(
  actual: Float64Array,
  expected: ArrayLike<number>,
  sizes: Architecture,
  tolerance: number,
): void {
  for (const { name, start, end } of blocks(sizes)) {
    const part = Array.from(expected).slice(start, end);
    assertNear(actual.subarray(start, end), part, tolerance, name);
  }
}
