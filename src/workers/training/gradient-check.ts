/** Preflight check of a training: checks its gradient, and the kernel that will compute it. */
import type { GradientCheckSummary } from '../../domain/jobs/training.ts';
import { PREFLIGHT_IMAGES, preflightCoordinates } from '../../numerics/checks/cost.ts';
import { type GradientCheckReport, gradientCheck } from '../../numerics/checks/gradient.ts';
import { engineDifference } from '../../numerics/checks/kernel.ts';
import {
  channelStandardizations,
  type Parameters,
  type Standardization,
} from '../../numerics/network/layers.ts';
import type { EngineSettings, Examples } from '../../numerics/training/engine.ts';
import { createKernelEngine, KERNEL_NAME, KERNEL_TOLERANCE } from '../kernel/compile.ts';

const EXAMPLES = 5;
const COORDINATES = 200;
/**
 * With convolutions, an image has so many values that some are often close to a kink: the gradient is checked on one image, and
 * compared with the kernel's on three.
 */
const CONVOLUTION_EXAMPLES = { checked: PREFLIGHT_IMAGES, compared: 3 } as const;
/** Maximum number of checks and of comparisons with the kernel, each with other examples. */
const ATTEMPTS = 3;
/**
 * μ/σ above which standardization cancels: a standardized pixel is the difference of two numbers of about this
 * magnitude, and float32 rounds each to 6e-8 of its magnitude. Measured differences: 1.3e-4 for pixels of 200 ± 1
 * (ratio 200); 1.0e-4 for pixels of 7, with one in a thousand of 6 or 8 (ratio 190).
 */
const CANCELLATION_RATIO = 100;

/**
 * Checks the settings and parameters that the training starts from; `passed` covers both the gradient and the kernel.
 * @param between called between parts of the check (of a second or two in the largest networks); may throw to
 *   abort the check
 */
export function preflightGradientCheck(
  settings: EngineSettings,
  parameters: Parameters,
  examples: Examples,
  between: () => void = () => {},
): GradientCheckSummary {
  const isConvolutional = settings.architecture.convolutions.length > 0;
  // An odd number, see `engineDifference`.
  const count = (most: number) => (Math.min(isConvolutional ? most : EXAMPLES, settings.batchSize) - 1) | 1;
  const { checked, compared } = CONVOLUTION_EXAMPLES;
  const report = checkGradient(settings, parameters, examples, count(checked), between);
  const { passed, reason, advice, relativeError, tolerance, coordinates, kinks } = report;
  between();
  const maxRelativeDifference = kernelDifference(settings, parameters, examples, count(compared));
  const kernel = { name: KERNEL_NAME, maxRelativeDifference };
  if (maxRelativeDifference > KERNEL_TOLERANCE) {
    return {
      passed: false,
      ...describeDisagreement(settings.standardization),
      relativeError,
      tolerance,
      coordinates,
      kinks,
      kernel,
    };
  }
  return { passed, reason, advice, relativeError, tolerance, coordinates, kinks, kernel };
}

/** The first report without too many kinks, otherwise the last one. */
function checkGradient(
  settings: EngineSettings,
  parameters: Parameters,
  examples: Examples,
  count: number,
  between: () => void,
): GradientCheckReport {
  const { architecture, activation, standardization, seed } = settings;
  const coordinates =
    architecture.convolutions.length === 0 ? { sample: COORDINATES } : preflightCoordinates(architecture);
  const network = { architecture, activation, standardization };
  const plan = { ...network, parameters, examples, scheme: 'central', coordinates, seed } as const;
  for (let attempt = 1; ; attempt++) {
    const check = gradientCheck({ ...plan, indices: chooseExamples(examples, count, attempt) });
    let next = check.next();
    while (!next.done) {
      between();
      next = check.next();
    }
    if (next.value.reason !== 'too-many-kinks' || attempt === ATTEMPTS) return next.value;
  }
}

/** Other examples for each attempt, the first of which is 1, unless there are too few. */
function chooseExamples({ labels }: Examples, count: number, attempt: number): Uint32Array {
  const start = ((attempt - 1) * count) % (labels.length - count + 1);
  return Uint32Array.from({ length: count }, (_, n) => start + n);
}

/** Distinguishes cancellation in almost constant pixels from a fault of the kernel or the processor. */
function describeDisagreement(standardization: Standardization | null): { reason: string; advice: string } {
  const constant = channelStandardizations(standardization).find(
    ({ mean, std }) => mean > CANCELLATION_RATIO * std,
  );
  if (constant !== undefined) {
    const [mean, std] = [constant.mean, constant.std].map((x) => (255 * x).toPrecision(3));
    return {
      reason: 'standardization-cancels',
      advice:
        `The pixels are almost constant, with a deviation of ${std} around their mean ${mean}. Standardized in float32, ` +
        'they are too inexact to train on. Omit "standardize".',
    };
  }
  return {
    reason: 'kernel-differs',
    advice:
      'The kernel does not agree with the reference. Please report the request and the processor model.',
  };
}

/**
 * The first difference within the tolerance, otherwise the smallest. A pre-activation close to 0 may be on one side
 * of ReLU's kink in float32 and on the other in float64. With tens of thousands of units, that is common for a few
 * examples, whereas a faulty kernel differs for all of them.
 */
function kernelDifference(
  settings: EngineSettings,
  parameters: Parameters,
  examples: Examples,
  count: number,
): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (let attempt = 1; attempt <= ATTEMPTS && smallest > KERNEL_TOLERANCE; attempt++) {
    const indices = chooseExamples(examples, count, attempt);
    const difference = engineDifference(createKernelEngine, settings, parameters, examples, indices);
    smallest = Math.min(smallest, difference);
  }
  return smallest;
}
