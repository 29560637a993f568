/**
 * Estimated time of the kernel, in microseconds; fitted to measurements on a common server. `node bench/fit-time.ts` prints
 * the constants that fit bench/results best.
 */

import type { Mixup } from '../examples/mixup.ts';
import type { Activation } from '../network/activations.ts';
import { type Architecture, parameterCount, plan } from '../network/architecture.ts';
import { valueCount } from '../network/image-shape.ts';
import { kernelCost, kernelCosts, padded } from '../simd/layers-layout.ts';
import type { Ema } from './ema.ts';
import { type Augmentation, type OptimizerSettings, stateVectorCount } from './engine.ts';

/**
 * Time of one image: a constant, and the time per multiply-add of its forward pass. The first layer skips zeros in pairs of
 * pixels and passes no gradient back.
 */
const TRAINING = { constant: 0.47, perFirstMultiplyAdd: 25.3e-6, perLaterMultiplyAdd: 57e-6 };
/** Amdahl's law: a serial part of each image, and the gain of each thread after the first in the rest. */
const THREADS = { serial: 0.39, gain: 0.92 };
/**
 * Each of the products of a convolution: forward, gradient of the weights and, except in the first one, of the inputs. Then
 * each of its values, if they are normalized, and for silu, which is computed before pooling.
 */
const CONVOLUTION = { perMultiplyAdd: 30e-6, perValue: 1.8e-3, perNormalized: 1.3e-3, perSilu: 3.8e-3 };
/** `perValue` of the convolutions. */
const EVALUATION = { constant: 0.3, perMultiplyAdd: 25e-6, perValue: 1.1e-3 };
/** Noise is drawn for each value, and leaves no zeros to skip in the first layer. */
const NOISE = { perValue: 2.55e-3, perMultiplyAdd: 20e-6 };
/** Rotation and scale, of each value: 5 to 6 ns of grey images, 3 of colour. */
const WARP = { perValue: 5e-3 };
/** A mixed image has the non-zero pixels of both. */
const MIXUP = { constant: 0.15, perMultiplyAdd: 13e-6 };
/** Update of a moment, or of the average, of one parameter in each step. */
const PER_VECTOR = 0.35e-3;

/** Options that change the time; the others cost little. */
export interface TimedOptions {
  readonly activation: Activation;
  readonly batchSize: number;
  readonly optimizer: OptimizerSettings;
  readonly ema: Ema | null;
  readonly augmentation: Augmentation;
  readonly mixup: Mixup | null;
}

/**
 * Forward pass, gradient and update for one image of a batch.
 * @param options by default plain gradient descent: within −9 … +12 % of bench/results/scaling.md
 */
export function trainingMicroseconds(architecture: Architecture, options?: TimedOptions): number {
  const inputs = valueCount(architecture.inputShape);
  const { layers } = plan(architecture);
  const costs = kernelCosts(architecture);
  const convolutions = costs.filter((_, l) => layers[l]!.type === 'convolution');
  const convolved = convolutions.reduce((sum, each, n) => sum + (n === 0 ? 2 : 3) * each, 0);
  const values = convolvedValues(architecture);
  const firstLayer = convolutions.length > 0 ? 0 : costs[0]!;
  const later = costs.reduce((sum, cost, l) => sum + (layers[l]!.type === 'dense' ? cost : 0), -firstLayer);
  const plain =
    TRAINING.constant +
    TRAINING.perFirstMultiplyAdd * firstLayer +
    TRAINING.perLaterMultiplyAdd * later +
    CONVOLUTION.perMultiplyAdd * convolved +
    values * (CONVOLUTION.perValue + (architecture.norm === 'none' ? 0 : CONVOLUTION.perNormalized));
  if (options === undefined) return plain;
  const { activation, batchSize, augmentation, mixup } = options;
  const silu = activation === 'silu' ? CONVOLUTION.perSilu * values : 0;
  const noise = augmentation.noise > 0 ? NOISE.perValue * inputs + NOISE.perMultiplyAdd * firstLayer : 0;
  const warp = augmentation.rotation > 0 || augmentation.scale > 0 ? WARP.perValue * inputs : 0;
  const mixing = mixup === null ? 0 : MIXUP.constant + MIXUP.perMultiplyAdd * firstLayer;
  const vectors = (PER_VECTOR * stateVectorCount(options) * parameterCount(architecture)) / batchSize;
  return plain + silu + noise + warp + mixing + vectors;
}

/**
 * Time of a step in several threads as a fraction of its time in one: within 15 % of bench/results/scaling.md, except for
 * its smallest network: that takes 27 % longer.
 * @param microseconds of an image in one thread, by `trainingMicroseconds`
 */
export function threadedFraction(microseconds: number, threads: number): number {
  const serial = Math.min(1, THREADS.serial / microseconds);
  return serial + (1 - serial) / (1 + THREADS.gain * (threads - 1));
}

/** Forward pass and loss of one image. */
export function evaluationMicroseconds(architecture: Architecture): number {
  return (
    EVALUATION.constant +
    EVALUATION.perMultiplyAdd * kernelCost(architecture) +
    EVALUATION.perValue * convolvedValues(architecture)
  );
}

/** Values of all convolutions, those of padded channels included. */
function convolvedValues(architecture: Architecture): number {
  let values = 0;
  for (const { type, output } of plan(architecture).layers) {
    if (type === 'convolution') values += output.height * output.width * padded(output.channels);
  }
  return values;
}
