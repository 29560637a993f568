/** The cost of a gradient check, estimated before it runs. */
import { type Architecture, forwardCost, layerSizes, parameterCount } from '../network/architecture.ts';

/** An exponential takes about as long as this many multiply-adds. */
const EXPONENTIAL = 10;

/**
 * Multiply-adds, including zeros, of a check of `coordinates` parameters, spread evenly over all of them. For each
 * example: 3 forward passes for the analytic gradient; then, for each coordinate of layer l and each evaluation,
 * d_{l+1} to update the next layer, all products above it, and the softmax.
 */
export function gradientCheckCost(
  architecture: Architecture,
  examples: number,
  scheme: 'central' | 'forward',
  coordinates: number,
): number {
  const sizes = layerSizes(architecture);
  let aboveNext = 0;
  let all = 0;
  for (let l = sizes.length - 1; l >= 1; l--) {
    const next = sizes[l + 1] ?? 0;
    aboveNext += next * (sizes[l + 2] ?? 0);
    all += (sizes[l - 1]! + 1) * sizes[l]! * (next + aboveNext + EXPONENTIAL * architecture.classes);
  }
  const evaluations = scheme === 'central' ? 2 : 1;
  const fraction = Math.min(1, coordinates / parameterCount(architecture));
  return examples * (3 * forwardCost(architecture) + evaluations * fraction * all);
}
