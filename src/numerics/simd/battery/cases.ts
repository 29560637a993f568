/** Cases of the battery: networks of many shapes with settings, parameters and examples that combine in many ways. */

import type { Distillation } from '../../examples/distillation.ts';
import { toLabels } from '../../examples/labels.ts';
import { ACTIVATIONS } from '../../network/activations.ts';
import {
  type Architecture,
  fullyConnected,
  GROUP_CHANNELS,
  parameterCount,
} from '../../network/architecture.ts';
import { DEFAULT_IMAGE_SHAPE, type ImageShape, valueCount } from '../../network/image-shape.ts';
import type { Standardization } from '../../network/layers.ts';
import { PURPOSE, randomBits } from '../../random.ts';
import type { Augmentation, EngineSettings, Examples, OptimizerSettings } from '../../training/engine.ts';
import { PLAIN_SETTINGS } from '../../training/engine.ts';
import { MAX_BATCH } from '../constants.ts';

export interface BatteryCase {
  readonly settings: EngineSettings;
  readonly parameters: Float64Array;
  readonly examples: Examples;
  readonly threads: number;
}

/** Enough for each number of units with each of the later layers. The cases after them begin with convolutions. */
const FULLY_CONNECTED_CASES = 119;
export const CASE_COUNT = 149;
/** Examples beyond the batch, so that batches differ. */
export const FURTHER_EXAMPLES = 3;

/** One to twelve pairs of vectors of four, full and not, and a wider layer that is always divided into panels. */
const UNITS = [3, 8, 13, 19, 24, 26, 32, 34, 40, 47, 55, 63, 72, 77, 85, 95, 101];
const INPUTS = [97, 64, 33, 32, 1];
const LATER_LAYERS = [[10], [3], [53, 21], [61, 30, 7], [70, 46, 14], [78, 38, 9], [86, 95, 14]];
/** Rows of one to six positions, alone and divided into blocks; channels that do and do not fill vectors. */
const IMAGES: readonly ImageShape[] = [
  [6, 5],
  [8, 4, 3],
  [7, 11],
  [5, 6, 3],
  [12, 13],
  [4, 8],
  [4, 16],
];
const CONVOLUTIONS = [[[16]], [[5, 20]], [[4], [8]], [[33], [18]], [[12, 36], [24]]];
/** Enough for groups of two images. */
const MOST_IMAGES = 20;
const LAYERS_ABOVE = [[3], [5, 10], [17, 7], [37, 40, 4]];
const BATCHES = [7, 10, 1, 33, 6, 131, 16, 9];
const PENALTIES = [{}, { l2: 1e-3 }, { l1: 1e-4, l2: 1e-4, dropout: 0.3 }];
const CLIP_NORMS = [null, null, 0.5, null];
const AVERAGES = [null, { decay: 0.9 }];
const MIXUPS = [null, { alpha: 1 }];
const TEACHER_WEIGHTS = [null, 0.4];
const STANDARDIZATIONS: readonly (Standardization | null)[] = [
  null,
  { mean: 0.3, std: 0.4 },
  { mean: [0.3, 0.4, 0.2], std: [2, 3, 4] },
];
/** Shapes whose rows do and do not fill vectors, and augmentations of their images. */
const SHAPES: readonly ImageShape[] = [
  [26, 30],
  [9, 13],
  [12, 11, 3],
  [20, 44],
  [16, 16, 3],
];
const AUGMENTATIONS: readonly Augmentation[] = [
  { horizontalFlip: true, shift: 3, rotation: 0, scale: 0, noise: 0.1, erase: 0.5 },
  { horizontalFlip: true, shift: 1, rotation: 30, scale: 0.3, noise: 0, erase: 0.5 },
];

const ADAM = { beta1: 0.9, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.01 };
const OPTIMIZERS: readonly OptimizerSettings[] = [
  { type: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
  { type: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0.01 },
  { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 0 },
  { type: 'rmsprop', momentum: 0, alpha: 0.9, epsilon: 1e-6, weightDecay: 0.01 },
  { type: 'rmsprop', momentum: 0.5, alpha: 0.9, epsilon: 1e-6, weightDecay: 0 },
  { type: 'adam', ...ADAM },
  { type: 'adamw', ...ADAM },
];

/** Pixel i of random bits: half are zero, as in real images; none; nearly all; one of each pair; all. */
const PIXELS: readonly ((bits: number, i: number) => number)[] = [
  (bits) => (bits & 256 ? bits & 255 : 0),
  (bits) => (bits & 255) | 1,
  (bits) => (bits & 0xf00 ? 0 : bits & 255),
  (bits, i) => (i & 1 ? 0 : bits & 255),
  () => 0,
];

/** Largest weights. The last are subnormal, and products with them underflow. */
const SCALES = [0.2, 0.05, 1, 2 ** -140];

const entry = <T>(list: readonly T[], n: number): T => list[n % list.length]!;

function architectureOf(n: number, shape: ImageShape): Architecture {
  if (n < FULLY_CONNECTED_CASES) return fullyConnected(shape, [entry(UNITS, n), ...entry(LATER_LAYERS, n)]);
  const convolutions = entry(CONVOLUTIONS, n);
  const canNormalize = convolutions.flat().every((channels) => channels % GROUP_CHANNELS === 0);
  const norm = canNormalize && n % 3 > 0 ? 'group' : 'none';
  return { ...fullyConnected(shape, entry(LAYERS_ABOVE, n)), convolutions, norm };
}

/** Case n takes entry n, ⌊n / 2⌋ … of each list, counted around. Periods differ, so that entries of different lists meet. */
export function batteryCase(n: number): BatteryCase {
  const isAugmented = n % 11 === 10;
  const rows: ImageShape = n < FULLY_CONNECTED_CASES ? [1, entry(INPUTS, n)] : entry(IMAGES, n);
  const batchSize = Math.min(entry(BATCHES, n), n < FULLY_CONNECTED_CASES ? MAX_BATCH : MOST_IMAGES);
  const architecture = architectureOf(n, isAugmented ? entry(SHAPES, n) : rows);
  const settings: EngineSettings = {
    ...PLAIN_SETTINGS,
    ...entry(PENALTIES, n),
    architecture,
    batchSize,
    seed: n,
    activation: entry(ACTIVATIONS, n >> 1),
    optimizer: entry(OPTIMIZERS, n >> 1),
    clipNorm: entry(CLIP_NORMS, n),
    ema: entry(AVERAGES, n >> 4),
    mixup: entry(MIXUPS, n >> 5),
    standardization: entry(STANDARDIZATIONS, n >> 2),
    labelSmoothing: n % 6 === 0 ? 0.1 : 0,
    distillation: createTeachers(entry(TEACHER_WEIGHTS, n >> 6), batchSize, architecture.classes),
    ...(isAugmented && { augmentation: entry(AUGMENTATIONS, n) }),
  };
  return createCase(settings, n, entry(SCALES, n >> 3), entry(PIXELS, n >> 2));
}

/** Targets of a batch and the further examples, 0 to 1/10. */
function createTeachers(weight: number | null, batchSize: number, classes: number): Distillation | null {
  if (weight === null) return null;
  const targets = Float32Array.from(
    { length: classes * (batchSize + FURTHER_EXAMPLES) },
    (_, i) => (randomBits(1, PURPOSE.coordinateSample, 0, i) & 255) / 2550,
  );
  return { weight, targets };
}

/** The network and the batch size that a request trains by default. */
export function typicalCase(): BatteryCase {
  const settings = {
    ...PLAIN_SETTINGS,
    architecture: fullyConnected(DEFAULT_IMAGE_SHAPE, [40, 10]),
    batchSize: 64,
  };
  return createCase(settings, 0, SCALES[0]!, PIXELS[0]!);
}

function createCase(
  settings: EngineSettings,
  n: number,
  scale: number,
  toPixel: (bits: number, i: number) => number,
): BatteryCase {
  const { architecture, batchSize } = settings;
  const count = batchSize + FURTHER_EXAMPLES;
  const pixels = Uint8Array.from({ length: valueCount(architecture.inputShape) * count }, (_, i) =>
    toPixel(randomBits(n, PURPOSE.coordinateSample, 0, i), i),
  );
  const labels = toLabels(
    architecture.classes,
    Array.from({ length: count }, (_, i) => i % architecture.classes),
  );
  // One weight of eight is −0.
  const parameters = Float64Array.from({ length: parameterCount(architecture) }, (_, i) => {
    const bits = randomBits(n, PURPOSE.initialize, 0, i);
    return bits & 7 ? (bits / 2 ** 31 - 1) * scale : -0;
  });
  return { settings, parameters, examples: { pixels, labels }, threads: 1 + (n % 2) };
}
