/** Occlusion maps: the parts of an image that a class depends on (Zeiler and Fergus 2014). */

import { channelCount, type ImageShape } from '../network/image-shape.ts';
import type { KernelForward } from '../simd/kernel-forward.ts';
import type { Pixels } from '../training/engine.ts';

/** Side of the covered square, and distance from one square to the next, in pixels. The last one ends at the border. */
export const PATCH = 4;
export const STRIDE = 2;

/** Number of squares. */
export const patchCount = ([height, width]: ImageShape): number =>
  corners(height).length * corners(width).length;

/**
 * For each pixel, the mean drop of the label's probability over the patches that cover it, each set to 0 like the
 * background, in all channels. Positive values support the class, negative values oppose it.
 * @param image 0–255
 * @returns height × width
 */
export function occlusionMap(
  forward: KernelForward['forward'],
  image: Pixels,
  shape: ImageShape,
  label: number,
  classes: number,
): Float64Array {
  const [height, width] = shape;
  const channels = channelCount(shape);
  const patches = corners(height).flatMap((top) =>
    corners(width).map((left) => patchPixels(top, left, width)),
  );
  // The unchanged image, then one image per patch.
  const images = new Float32Array((patches.length + 1) * image.length);
  for (let start = 0; start < images.length; start += image.length) images.set(image, start);
  for (const [n, pixels] of patches.entries()) {
    for (const pixel of pixels) {
      const at = (n + 1) * image.length + pixel * channels;
      images.fill(0, at, at + channels);
    }
  }
  const probabilities = new Float32Array((patches.length + 1) * classes);
  forward(new Float32Array(probabilities.length), probabilities, images);
  const drops = new Float64Array(height * width);
  const covers = new Float64Array(height * width);
  for (const [n, pixels] of patches.entries()) {
    const drop = probabilities[label]! - probabilities[(n + 1) * classes + label]!;
    for (const pixel of pixels) {
      drops[pixel]! += drop;
      covers[pixel]!++;
    }
  }
  return drops.map((sum, pixel) => sum / covers[pixel]!);
}

/** First row, or column, of each patch. */
function corners(side: number): number[] {
  const last = side - PATCH;
  return [...Array.from({ length: Math.ceil(last / STRIDE) }, (_, i) => i * STRIDE), last];
}

/** Positions of the pixels of a patch. */
function patchPixels(top: number, left: number, width: number): number[] {
  const corner = top * width + left;
  return Array.from(
    { length: PATCH * PATCH },
    (_, i) => corner + Math.floor(i / PATCH) * width + (i % PATCH),
  );
}
