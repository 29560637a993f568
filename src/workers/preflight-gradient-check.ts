/** The quick check that lets a training start: the gradient of its own network, and the kernel that will compute it. */
import type { GradientCheckSummary } from '../domain/training-job.ts';
import type { EngineSettings, Examples } from '../numerics/engine.ts';
import { gradientCheck } from '../numerics/gradient-check.ts';
import { engineDifference } from '../numerics/kernel-check.ts';
import type { Parameters, Standardization } from '../numerics/network.ts';
import { createKernelEngine, KERNEL_NAME, KERNEL_TOLERANCE } from './kernel.ts';

const EXAMPLES = 5;
const COORDINATES = 200;
/** How often the kernel is looked at, each time with other examples. */
const ATTEMPTS = 3;
/**
 * μ/σ: a standardised pixel is the difference of two numbers about so large, and float32 rounds them to 6e-8 of their
 * size. Measured: pixels 200 ± 1 (200) differ by 1.3e-4, 7 of which a thousandth is 6 or 8 (190) by 1.0e-4.
 */
const CANCELLATION_RATIO = 100;

/**
 * With the settings and parameters that the training starts from; `passed` is about both parts.
 * @param between is called between two pieces of it, of a second or two in the largest networks: it may end the thread
 */
export function preflightGradientCheck(
  settings: EngineSettings,
  parameters: Parameters,
  examples: Examples,
  between: () => void = () => {},
): GradientCheckSummary {
  const indices = Uint32Array.from({ length: Math.min(EXAMPLES, settings.batchSize) }, (_, n) => n);
  const check = gradientCheck({
    layerSizes: settings.layerSizes,
    activation: settings.activation,
    standardization: settings.standardization,
    parameters,
    examples,
    indices,
    scheme: 'central',
    coordinates: { sample: COORDINATES },
    seed: settings.seed,
  });
  let next = check.next();
  while (!next.done) {
    between();
    next = check.next();
  }
  const { passed, reason, advice, relativeError, tolerance, coordinates, kinks } = next.value;
  between();
  const maxRelativeDifference = kernelDifference(settings, parameters, examples, indices.length);
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

/** Where pixels hardly differ, neither the kernel nor the processor is to blame. */
function describeDisagreement(standardization: Standardization | null): { reason: string; advice: string } {
  if (standardization !== null && standardization.mean > CANCELLATION_RATIO * standardization.std) {
    const [mean, std] = [standardization.mean, standardization.std].map((x) => (255 * x).toPrecision(3));
    return {
      reason: 'standardization-cancels',
      advice:
        `The pixels hardly differ, with a deviation of ${std} about their mean ${mean}: standardised in float32 they ` +
        'are too inexact to train on. Leave "standardize" out.',
    };
  }
  return {
    reason: 'kernel-differs',
    advice:
      'The kernel does not compute what the reference does. Please report the request and the processor.',
  };
}

/**
 * The first that is tolerable, or the smallest. A pre-activation that is 0 but for rounding may be on one side of ReLU's
 * kink in float32 and on the other in float64: in a network of tens of thousands of units that is nothing unusual for
 * some example, while a wrong kernel differs on every one.
 */
function kernelDifference(
  settings: EngineSettings,
  parameters: Parameters,
  examples: Examples,
  count: number,
): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS && smallest > KERNEL_TOLERANCE; attempt++) {
    const start = (attempt * count) % (examples.labels.length - count + 1);
    const indices = Uint32Array.from({ length: count }, (_, n) => start + n);
    const difference = engineDifference(createKernelEngine, settings, parameters, examples, indices);
    smallest = Math.min(smallest, difference);
  }
  return smallest;
}
