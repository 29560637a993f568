/** Features of an image, few enough for a covariance matrix per class. */
import { channelCount, type ImageShape } from '../network/image-shape.ts';
import type { Pixels } from '../training/engine.ts';

/** Cells in each direction. */
const CELLS = 7;
/** Number of features: the means of 7×7 cells, and two roughnesses, vertical and horizontal. */
export const FEATURES = CELLS * CELLS + 2;

/** The grey values of an image, 0–255: of a colour image its luma (ITU-R 601), which is not rounded. */
export function toGreyPixels(image: Pixels, shape: ImageShape): Pixels {
  if (channelCount(shape) === 1) return image;
  return Float32Array.from(
    { length: image.length / 3 },
    (_, i) => 0.299 * image[3 * i]! + 0.587 * image[3 * i + 1]! + 0.114 * image[3 * i + 2]!,
  );
}

/**
 * Writes the mean of each cell, row by row, then the two roughnesses: the root mean square of the differences between
 * vertical neighbours, then between horizontal ones. All are on the scale 0–1.
 * @param features FEATURES numbers, overwritten
 * @param pixels height × width grey values, 0–255
 */
export function extractFeatures(features: Float64Array, pixels: Pixels, [height, width]: ImageShape): void {
  features.fill(0);
  let [down, across] = [0, 0];
  for (let y = 0; y < height; y++) {
    const cellY = Math.floor((y * CELLS) / height);
    for (let x = 0; x < width; x++) {
      const cellX = Math.floor((x * CELLS) / width);
      const value = pixels[y * width + x]!;
      const size = cellSide(cellY, height) * cellSide(cellX, width);
      features[cellY * CELLS + cellX]! += value / (255 * size);
      if (y > 0) down += ((value - pixels[(y - 1) * width + x]!) / 255) ** 2;
      if (x > 0) across += ((value - pixels[y * width + x - 1]!) / 255) ** 2;
    }
  }
  features[FEATURES - 2] = Math.sqrt(down / (width * (height - 1)));
  features[FEATURES - 1] = Math.sqrt(across / (height * (width - 1)));
}

/** Pixels of a cell in one direction. Cells differ by one if the side is not a multiple of their number. */
const cellSide = (cell: number, side: number) =>
  Math.ceil(((cell + 1) * side) / CELLS) - Math.ceil((cell * side) / CELLS);
