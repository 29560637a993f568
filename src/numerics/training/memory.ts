/**
 * Memory estimates for trainings and gradient checks.
 * They are needed before the start, because the memory limits of threads do not count typed arrays.
 */

import { type Architecture, parameterCount, plan, volumeSize } from '../network/architecture.ts';
import { forwardBytes } from '../simd/kernel-forward.ts';
import { type LayoutOptions, layOut, PAGE_BYTES } from '../simd/layout.ts';
import type { EarlyStopping } from './early-stopping.ts';
import { type EngineSettings, PLAIN_SETTINGS, stateVectorCount } from './engine.ts';

const FLOAT64 = 8;
const FLOAT32 = 4;
/** Measured memory of V8 and the modules: the training or checking thread, and each further thread of a job. */
export const THREAD_BYTES = 56 * 2 ** 20;
const FURTHER_THREAD_BYTES = 30 * 2 ** 20;
/** Packed copies of the kernel's parameters that about two epochs leave for the garbage collector. */
const GARBAGE_COPIES = 4;

/** Passes of a gradient check that exist at the same time, and float64 numbers per value of a convolution, norm or pooling. */
const PASSES = 4;
const VALUES_PER_OUTPUT = 3;

/** The options that need memory; a request has them, and a plan. */
export interface SizedOptions extends Pick<EngineSettings, 'batchSize' | 'optimizer' | 'ema' | 'mixup'> {
  readonly distillation: object | null;
  readonly earlyStopping: Pick<EarlyStopping, 'restoreBest'> | null;
}

/** Memory of a training thread without a task, and of its further threads. */
export function trainingThreadBytes(threads: number): number {
  return THREAD_BYTES + (threads - 1) * FURTHER_THREAD_BYTES;
}

/**
 * Peak memory of a training: at least 60 bytes per parameter. The memory of its gradient check is added, because it
 * may not have been collected yet.
 * @param examples number of training images, those held out included
 * @param isChecked whether a gradient check precedes the training
 */
export function trainingBytes(
  architecture: Architecture,
  options: SizedOptions,
  examples: number,
  { threads = 1, isChecked = false } = {},
): number {
  const { batchSize, distillation, earlyStopping } = options;
  const targetRows = distillation === null ? 0 : examples;
  // The parameters of the best epoch.
  const kept = earlyStopping?.restoreBest ? 1 : 0;
  const vectors = stateVectorCount(options);
  // float64: initial and evaluated parameters; float32: published and best parameters.
  const own = 2 * FLOAT64 + FLOAT32 * (1 + GARBAGE_COPIES + kept);
  // Checkpoints: copies of parameters, moments, average and best parameters; the encoded file; the file being stored.
  const checkpoints = 3 * FLOAT32 * (1 + vectors + kept);
  return (
    trainingThreadBytes(threads) +
    parameterCount(architecture) * (own + checkpoints) +
    kernelBytes(architecture, batchSize, threads, { ...PLAIN_SETTINGS, ...options, targetRows }) +
    forwardBytes(architecture) +
    targetRows * architecture.classes * FLOAT32 +
    (isChecked ? quickCheckBytes(architecture, batchSize, targetRows) : 0)
  );
}

/**
 * Peak memory of a gradient check: the parameters; for each coordinate its position and both gradients; the volumes of each
 * example with their activations, maxima and kinks, and those of the passes; and `quickCheckBytes`.
 */
export function gradientCheckBytes(architecture: Architecture, examples: number): number {
  const listed = parameterCount(architecture) * (3 * FLOAT64 + FLOAT32);
  const volumes = plan(architecture).layers.filter(({ type }) => type !== 'dense');
  const values = volumes.reduce((sum, { output }) => sum + volumeSize(output), 0);
  const kept = (examples + PASSES) * values * VALUES_PER_OUTPUT * FLOAT64;
  return THREAD_BYTES + listed + kept + quickCheckBytes(architecture, examples);
}

/**
 * Memory of a check of a few coordinates, and of the comparison of the kernel with the reference.
 * float64: parameters and gradient for the differences; parameters and gradient of the reference engine, and its
 * returned gradient. float32: rounded parameters, the kernel's gradient, and the kernel itself.
 */
function quickCheckBytes(architecture: Architecture, batchSize: number, targetRows = 0): number {
  const vectors = 5 * FLOAT64 + 2 * FLOAT32;
  const kernel = kernelBytes(architecture, batchSize, 1, { ...PLAIN_SETTINGS, targetRows });
  return parameterCount(architecture) * vectors + kernel;
}

/** Weights, gradient, engine state and transposed weights; records of a batch's examples; scratch memory per thread. */
function kernelBytes(
  architecture: Architecture,
  records: number,
  threads: number,
  training: LayoutOptions,
): number {
  return layOut({ architecture, records, threads, training }).pages * PAGE_BYTES;
}
