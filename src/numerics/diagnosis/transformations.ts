/** Changes and measures of a 28×28 image. A diagnosis compares them with those of training images. */
import type { Pixels } from '../training/engine.ts';
import { SIDE } from './features.ts';

/** Exchanges light and dark. */
export function inverted(pixels: Pixels): Pixels {
  return pixels.map((value) => 255 - value);
}

/** Exchanges rows and columns. */
export function transposed(pixels: Pixels): Pixels {
  return pixels.map((_, i) => pixels[(i % SIDE) * SIDE + Math.floor(i / SIDE)]!);
}

/** Returns the greatest value. */
export function brightest(pixels: Pixels): number {
  let max = 0;
  for (let i = 0; i < pixels.length; i++) max = Math.max(max, pixels[i]!);
  return max;
}

/** Centre of mass in pixels from the upper left; the middle of the image if all pixels are 0. */
export function centreOfMass(pixels: Pixels): { readonly x: number; readonly y: number } {
  let [mass, x, y] = [0, 0, 0];
  for (let i = 0; i < pixels.length; i++) {
    mass += pixels[i]!;
    x += pixels[i]! * (i % SIDE);
    y += pixels[i]! * Math.floor(i / SIDE);
  }
  return mass === 0 ? { x: (SIDE - 1) / 2, y: (SIDE - 1) / 2 } : { x: x / mass, y: y / mass };
}
