/** Statistics of the training split: class weights, mean and deviation of the pixels. */

import { channelCount, type ImageShape, valueCount } from '../network/image-shape.ts';
import type { ChannelStandardization, Standardization } from '../network/layers.ts';
import type { Examples } from '../training/engine.ts';
import type { Labels } from './labels.ts';

/**
 * c_k = n / (K n_k), scikit-learn's "balanced": all classes weigh the same, and the examples weigh 1 on average.
 * A class without examples has weight 0.
 */
export function balancedClassWeights(labels: Labels, indices: Uint32Array, classes: number): Float64Array {
  const counts = new Float64Array(classes);
  for (const n of indices) counts[labels[n]!]!++;
  return counts.map((count) => (count === 0 ? 0 : indices.length / (classes * count)));
}

/**
 * The first channel whose values are equal in all of the given examples, or null. Standardization would turn them all into
 * zeros.
 */
export function uniformChannel(
  { pixels }: Pick<Examples, 'pixels'>,
  indices: Uint32Array,
  shape: ImageShape,
): number | null {
  const [values, channels] = [valueCount(shape), channelCount(shape)];
  const start = indices[0]! * values;
  for (let c = 0; c < channels; c++) {
    const differs = (n: number) => {
      for (let j = n * values + c; j < (n + 1) * values; j += channels)
        if (pixels[j] !== pixels[start + c]) return true;
      return false;
    };
    if (!indices.some(differs)) return c;
  }
  return null;
}

/**
 * Mean and standard deviation of all values / 255 of the given examples, of colour images by channel. Counting by value keeps
 * the sums exact, so the order does not matter. If all values are equal, the deviation is given as 1, so they are only
 * centred.
 */
export function pixelStatistics(
  { pixels }: Pick<Examples, 'pixels'>,
  indices: Uint32Array,
  shape: ImageShape,
): Standardization {
  const [values, channels] = [valueCount(shape), channelCount(shape)];
  const measure = (c: number): ChannelStandardization => {
    const counts = new Float64Array(256);
    for (const n of indices)
      for (let j = n * values + c; j < (n + 1) * values; j += channels) counts[pixels[j]!]!++;
    const all = (indices.length * values) / channels;
    const mean = counts.reduce((sum, count, x) => sum + count * x, 0) / all;
    const variance = counts.reduce((sum, count, x) => sum + count * (x - mean) ** 2, 0) / all;
    return { mean: mean / 255, std: variance === 0 ? 1 : Math.sqrt(variance) / 255 };
  };
  if (channels === 1) return measure(0);
  const [red, green, blue] = [measure(0), measure(1), measure(2)];
  return { mean: [red.mean, green.mean, blue.mean], std: [red.std, green.std, blue.std] };
}
