/** Statistics of the training split: class weights, mean and deviation of the pixels. */

import type { Standardization } from '../network/layers.ts';
import type { Examples } from '../training/engine.ts';

/**
 * c_k = n / (K n_k), scikit-learn's "balanced": all classes weigh the same, and the examples weigh 1 on average.
 * A class without examples has weight 0.
 */
export function balancedClassWeights(
  labels: Uint8Array,
  indices: Uint32Array,
  classes: number,
): Float64Array {
  const counts = new Float64Array(classes);
  for (const n of indices) counts[labels[n]!]!++;
  return counts.map((count) => (count === 0 ? 0 : indices.length / (classes * count)));
}

/** Whether all pixels of the given examples are equal. Standardization would turn them all into zeros. */
export function isUniform(
  { pixels }: Pick<Examples, 'pixels'>,
  indices: Uint32Array,
  inputs: number,
): boolean {
  const first = pixels[indices[0]! * inputs];
  for (const n of indices)
    for (let j = n * inputs; j < (n + 1) * inputs; j++) if (pixels[j] !== first) return false;
  return true;
}

/**
 * Mean and standard deviation of all pixels / 255 of the given examples. Counting by value keeps the sums exact, so the
 * order does not matter. If all pixels are equal, the deviation is given as 1, so they are only centred.
 */
export function pixelStatistics(
  { pixels }: Pick<Examples, 'pixels'>,
  indices: Uint32Array,
  inputs: number,
): Standardization {
  const counts = new Float64Array(256);
  for (const n of indices) for (let j = n * inputs; j < (n + 1) * inputs; j++) counts[pixels[j]!]!++;
  const all = indices.length * inputs;
  const mean = counts.reduce((sum, count, x) => sum + count * x, 0) / all;
  const variance = counts.reduce((sum, count, x) => sum + count * (x - mean) ** 2, 0) / all;
  return { mean: mean / 255, std: variance === 0 ? 1 : Math.sqrt(variance) / 255 };
}
