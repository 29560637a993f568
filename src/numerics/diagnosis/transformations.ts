/** Changes and measures of a grey image. A diagnosis compares them with those of training images. */
import type { ImageShape } from '../network/image-shape.ts';
import type { Pixels } from '../training/engine.ts';

/** Exchanges light and dark. */
export function inverted(pixels: Pixels): Pixels {
  return pixels.map((value) => 255 - value);
}

/** Exchanges rows and columns of a square image. */
export function transposed(pixels: Pixels, [side]: ImageShape): Pixels {
  return pixels.map((_, i) => pixels[(i % side) * side + Math.floor(i / side)]!);
}

/** Returns the greatest value. */
export function brightest(pixels: Pixels): number {
  let max = 0;
  for (let i = 0; i < pixels.length; i++) max = Math.max(max, pixels[i]!);
  return max;
}

/** Centre of mass in pixels from the upper left; the middle of the image if all pixels are 0. */
export function centreOfMass(
  pixels: Pixels,
  [height, width]: ImageShape,
): { readonly x: number; readonly y: number } {
  let [mass, x, y] = [0, 0, 0];
  for (let i = 0; i < pixels.length; i++) {
    mass += pixels[i]!;
    x += pixels[i]! * (i % width);
    y += pixels[i]! * Math.floor(i / width);
  }
  return mass === 0 ? { x: (width - 1) / 2, y: (height - 1) / 2 } : { x: x / mass, y: y / mass };
}
