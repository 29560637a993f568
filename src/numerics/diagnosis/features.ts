/** Features of a 28×28 image, few enough for a covariance matrix per class. */
import type { Pixels } from '../training/engine.ts';

export const SIDE = 28;
const CELL = 4;
const CELLS = SIDE / CELL;
/** Number of features: the means of 7×7 cells, and two roughnesses, vertical and horizontal. */
export const FEATURES = CELLS * CELLS + 2;

/**
 * Writes the mean of each cell, row by row, then the two roughnesses: the root mean square of the differences between
 * vertical neighbours, then between horizontal ones. All are on the scale 0–1.
 * @param features FEATURES numbers, overwritten
 * @param pixels 0–255
 */
export function extractFeatures(features: Float64Array, pixels: Pixels): void {
  features.fill(0);
  let [down, across] = [0, 0];
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const value = pixels[y * SIDE + x]!;
      features[Math.floor(y / CELL) * CELLS + Math.floor(x / CELL)]! += value / (255 * CELL * CELL);
      if (y > 0) down += ((value - pixels[(y - 1) * SIDE + x]!) / 255) ** 2;
      if (x > 0) across += ((value - pixels[y * SIDE + x - 1]!) / 255) ** 2;
    }
  }
  features[FEATURES - 2] = Math.sqrt(down / (SIDE * (SIDE - 1)));
  features[FEATURES - 1] = Math.sqrt(across / (SIDE * (SIDE - 1)));
}
