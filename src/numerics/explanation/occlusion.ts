/** Occlusion maps: the parts of an image that a class depends on (Zeiler and Fergus 2014). */

import type { KernelForward } from '../simd/kernel-forward.ts';
import type { Pixels } from '../training/engine.ts';

/** Side of the covered square, and distance from one square to the next, in pixels. */
export const PATCH = 4;
export const STRIDE = 2;

/**
 * For each pixel, the mean drop of the label's probability over the patches that cover it, each set to 0 like the
 * background. Positive values support the class, negative values oppose it.
 * @param image side × side pixels, 0–255, side − PATCH a multiple of STRIDE
 * @returns side × side
 */
export function occlusionMap(
  forward: KernelForward['forward'],
  image: Pixels,
  side: number,
  label: number,
  classes: number,
): Float64Array {
  const steps = (side - PATCH) / STRIDE + 1;
  const count = steps * steps;
  // The unchanged image, then one image per patch.
  const images = Float32Array.from(
    { length: (count + 1) * image.length },
    (_, i) => image[i % image.length]!,
  );
  for (let n = 0; n < count; n++) {
    for (const pixel of patchPixels(n, steps, side)) images[(n + 1) * image.length + pixel] = 0;
  }
  const probabilities = new Float32Array((count + 1) * classes);
  forward(new Float32Array(probabilities.length), probabilities, images);
  const drops = new Float64Array(image.length);
  const covers = new Float64Array(image.length);
  for (let n = 0; n < count; n++) {
    const drop = probabilities[label]! - probabilities[(n + 1) * classes + label]!;
    for (const pixel of patchPixels(n, steps, side)) {
      drops[pixel]! += drop;
      covers[pixel]!++;
    }
  }
  return drops.map((sum, pixel) => sum / covers[pixel]!);
}

/** Positions of the pixels of patch n; patches are numbered row by row. */
function patchPixels(n: number, steps: number, side: number): number[] {
  const corner = Math.floor(n / steps) * STRIDE * side + (n % steps) * STRIDE;
  return Array.from({ length: PATCH * PATCH }, (_, i) => corner + Math.floor(i / PATCH) * side + (i % PATCH));
}
