/** The quick check that lets a training start: the gradient of its own network, and the kernel that will compute it. */
import type { GradientCheckSummary } from '../domain/training-job.ts';
import type { EngineSettings, Examples } from '../numerics/engine.ts';
import { gradientCheck } from '../numerics/gradient-check.ts';
import { engineDifference } from '../numerics/kernel-check.ts';
import type { Parameters } from '../numerics/network.ts';
import { createKernel, KERNEL_NAME, KERNEL_TOLERANCE } from './kernel.ts';

const EXAMPLES = 5;
const COORDINATES = 200;

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
  const maxRelativeDifference = engineDifference(createKernel, settings, parameters, examples, indices);
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
