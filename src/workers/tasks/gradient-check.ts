/** Gradient checks: backpropagation against finite differences, kernel against reference. */

import { readGradientFile } from '../../formats/arrays/gradient-file.ts';
import { npyBytes } from '../../formats/arrays/npy.ts';
import type { GradientCheckPlan } from '../../numerics/checks/gradient.ts';
import {
  type GradientCheckReport,
  gradientCheck,
  referenceGradient,
} from '../../numerics/checks/gradient.ts';
import { engineDifference } from '../../numerics/checks/kernel.ts';
import { compareSubmitted, type SubmittedReport } from '../../numerics/checks/submitted/compare.ts';
import { parameterCount } from '../../numerics/network/architecture.ts';
import type { Initialization } from '../../numerics/network/initialize.ts';
import { initialize } from '../../numerics/network/initialize.ts';
import type { Parameters } from '../../numerics/network/layers.ts';
import { PLAIN_SETTINGS } from '../../numerics/training/engine.ts';
import { createKernelEngine, KERNEL_NAME } from '../kernel/compile.ts';

const CONVOLUTION_IMAGES = 3;

export type GradientCheckTask = Omit<GradientCheckPlan, 'parameters'> & {
  /** null for a fresh network: the thread initializes it from the seed. This can take seconds. */
  readonly parameters: Parameters | null;
  readonly initialization: Initialization;
  /** The report alone, or the report and one packed vector: a gradient, or the parameters. */
  readonly output: 'report' | GradientCheckVector;
  /** The file of a gradient to compare with the reference's; null without one. */
  readonly submitted: Uint8Array | null;
  /** A shared cell with the number of coordinates checked so far. */
  readonly progress: Int32Array;
};

export type GradientCheckVector = 'analytic' | 'numeric' | 'parameters';

export type GradientCheckResult = Omit<GradientCheckReport, 'positions' | 'analytic' | 'numeric'> & {
  readonly kernel: { readonly name: string; readonly maxRelativeDifference: number };
  readonly durationMs: number;
  /** The requested vector; null with output `report`. */
  readonly npy: Uint8Array | null;
  readonly submitted: SubmittedReport | null;
};

/** @throws AtelierError `invalid-gradient-file` */
export function runGradientCheck(task: GradientCheckTask): GradientCheckResult {
  const startedAt = performance.now();
  const parameters = task.parameters ?? initialize(task.initialization, task.architecture, task.seed);
  const submitted = compareFile(task, parameters);
  const check = gradientCheck({ ...task, parameters });
  let step = check.next();
  while (!step.done) {
    Atomics.store(task.progress, 0, step.value.done);
    step = check.next();
  }
  const durationMs = performance.now() - startedAt;
  const kernel = { name: KERNEL_NAME, maxRelativeDifference: kernelDifference(task, parameters) };
  // Only what the response needs crosses to the main thread: the report, and at most one vector.
  const { positions, analytic, numeric, ...report } = step.value;
  const npy = vectorAsNpy(task, parameters, { positions, analytic, numeric });
  return { ...report, kernel, durationMs, npy, submitted };
}

function compareFile(task: GradientCheckTask, sent: Parameters): SubmittedReport | null {
  if (task.submitted === null) return null;
  const given = readGradientFile(task.submitted, task.architecture);
  const parameters = Float64Array.from(sent);
  return compareSubmitted(
    given,
    referenceGradient(task, parameters),
    { ...task, parameters },
    task.tolerance,
  );
}

/**
 * Relative difference between the gradients of the kernel and of the reference, for the same weights and images. With
 * convolutions only three images are compared: one of thousands of values at a kink, on another side of it in float32, is a
 * difference.
 */
function kernelDifference(task: GradientCheckTask, parameters: Parameters): number {
  const { architecture, activation, standardization, examples } = task;
  const isConvolutional = architecture.convolutions.length > 0;
  const indices = isConvolutional ? task.indices.subarray(0, CONVOLUTION_IMAGES) : task.indices;
  const network = { architecture, activation, standardization };
  const settings = { ...PLAIN_SETTINGS, ...network, batchSize: indices.length };
  return engineDifference(createKernelEngine, settings, parameters, examples, indices);
}

/**
 * The packed vector as npy: W1, b1, W2, …; a gradient has NaN at coordinates outside of the sample.
 * @returns null if only the report was requested
 */
function vectorAsNpy(
  { output, architecture }: GradientCheckTask,
  parameters: Parameters,
  { analytic, numeric, positions }: Pick<GradientCheckReport, 'analytic' | 'numeric' | 'positions'>,
): Uint8Array | null {
  if (output === 'report') return null;
  if (output === 'parameters') return npyBytes(parameters, [parameters.length]);
  const values = output === 'analytic' ? analytic : numeric;
  const length = parameterCount(architecture);
  if (values.length === length) return npyBytes(values, [length]);
  const packed = new Float64Array(length).fill(Number.NaN);
  for (const [i, position] of positions.entries()) packed[position] = values[i]!;
  return npyBytes(packed, [length]);
}
