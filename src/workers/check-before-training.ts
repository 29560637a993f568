/** The quick check that lets a training start: the gradient of its own network, and the kernel that will compute it. */
import type { GradientCheckSummary } from '../domain/training-job.ts';
import type { EngineSettings, Examples } from '../numerics/engine.ts';
import { gradientCheck } from '../numerics/gradient-check.ts';
import { engineDifference } from '../numerics/kernel-check.ts';
import type { Parameters } from '../numerics/network.ts';
import { createKernel, KERNEL_NAME, KERNEL_TOLERANCE } from './kernel.ts';

const EXAMPLES = 5;
const COORDINATES = 200;
/** How often the kernel is looked at, each time with other examples. */
const ATTEMPTS = 3;

/** With the settings and parameters that the training starts from; `passed` is about both parts. */
export function checkBeforeTraining(
  settings: EngineSettings,
  parameters: Parameters,
  examples: Examples,
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
  while (!next.done) next = check.next();
  const { passed, reason, advice, relativeError, tolerance, coordinates, kinks } = next.value;
  const maxRelativeDifference = kernelDifference(settings, parameters, examples, indices.length);
  const kernel = { name: KERNEL_NAME, maxRelativeDifference };
  if (maxRelativeDifference > KERNEL_TOLERANCE) {
    return {
      passed: false,
      reason: 'kernel-differs',
      advice:
        'The kernel does not compute what the reference does. Please report the request and the processor.',
      relativeError,
      tolerance,
      coordinates,
      kinks,
      kernel,
    };
  }
  return { passed, reason, advice, relativeError, tolerance, coordinates, kinks, kernel };
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
    const difference = engineDifference(createKernel, settings, parameters, examples, indices);
    smallest = Math.min(smallest, difference);
  }
  return smallest;
}
