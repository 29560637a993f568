/** Batches of images, and the conversion of numbers to pixels. */
import { AtelierError, type ErrorDetail } from '../errors.ts';
import { type ImageShape, valueCount } from '../numerics/network/image-shape.ts';
import type { Pixels } from '../numerics/training/engine.ts';
import { describeOtherKind, identifyBody } from './other-kinds.ts';

export interface ImageBatch {
  readonly count: number;
  /** One row of values per image, 0–255: bytes if every value is a whole number, else float32. */
  readonly pixels: Pixels;
}

/** The range of the numbers that stand for black to white; the same for all images of a request. */
export type PixelScale = '0-1' | '0-255';

export interface PixelOptions {
  readonly pixels?: PixelScale | undefined;
}

export const FLOAT16_ROUNDING = 2 ** -11;
/** Two roundings of float32, as in `bytes * np.float32(1 / 255)`. Also used for float64, often widened from float32. */
export const FLOAT32_ROUNDING = 2 ** -22;

/**
 * Converts 0–1 to 0–255. A value within rounding of k/255 becomes exactly k, so an image gives the same prediction, bit
 * for bit, in every format.
 * @param rounding relative rounding error of the value's type
 */
export function unitToByteScale(value: number, rounding: number): number {
  const scaled = value * 255;
  const whole = Math.round(scaled);
  return Math.abs(scaled - whole) <= whole * rounding ? whole : scaled;
}

/** Resizing and rounding can lift numbers of 0–1 slightly above 1. A maximum between 1 and this one is ambiguous. */
const MAX_AMBIGUOUS = 1.01;

/**
 * Infers the scale of unlabelled numbers: 0–1 if no value of any array exceeds 1, else 0–255.
 * @param alternative extra advice for the error message, if any
 * @throws AtelierError `ambiguous-pixel-range` if the maximum is just above 1
 */
export function inferScale(
  arrays: readonly ArrayLike<number | bigint>[],
  alternative: ErrorDetail | null = null,
): PixelScale {
  let maximum = 0;
  for (const values of arrays) {
    for (let i = 0; i < values.length; i++) {
      if (values[i]! > MAX_AMBIGUOUS) return '0-255';
      if (values[i]! > maximum) maximum = Number(values[i]);
    }
  }
  if (maximum <= 1) return '0-1';
  throw new AtelierError(
    'ambiguous-pixel-range',
    `The largest number is ${maximum}, too large for pixels of 0–1 and too small for pixels of 0–255. ` +
      `Clip pixels of 0–1 to 1, or divide pixels of 0–255 by 255${alternative ? `, or ${alternative.detail}` : ''}.`,
    { details: alternative ? [alternative] : [] },
  );
}

/**
 * Converts numbers to pixels. Bytes on the scale 0–255 are not copied.
 * @param isUnitScale whether the numbers are 0–1 instead of 0–255
 * @param rounding relative rounding error of the numbers' type
 * @param reject throws the error; called with the index of the first number that is not from 0 to `limit`
 */
export function scaleNumbers(
  numbers: ArrayLike<number | bigint>,
  isUnitScale: boolean,
  rounding: number,
  reject: (index: number, limit: 1 | 255) => never,
): Pixels {
  if (numbers instanceof Uint8Array && !isUnitScale) return numbers;
  const limit = isUnitScale ? 1 : 255;
  const pixels = new Float32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const value = Number(numbers[i]!);
    if (!(value >= 0 && value <= limit)) reject(i, limit);
    pixels[i] = isUnitScale ? unitToByteScale(value, rounding) : value;
  }
  return compact(pixels);
}

/** Converts to bytes if every pixel is whole: a quarter of the memory, and the same input as an image of a data set. */
export function compact(pixels: Float32Array): Pixels {
  const bytes = new Uint8Array(pixels);
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== pixels[i]) return pixels;
  return bytes;
}

/**
 * Interprets bytes as images, without a copy.
 * @throws AtelierError `invalid-image-size`
 */
export function decodeBytes(bytes: Uint8Array, image: ImageShape): ImageBatch {
  const values = valueCount(image);
  const count = bytes.length / values;
  if (count < 1 || !Number.isInteger(count)) {
    const file = identifyBody(bytes);
    const defect =
      bytes.length === 0 ? 'The data is empty.' : `${bytes.length} bytes are not a whole number of images.`;
    throw new AtelierError(
      'invalid-image-size',
      file
        ? describeOtherKind(file, 'raw pixels')
        : `${defect} Send ${values} bytes per image: ${image.length === 3 ? 'red, green and blue of each pixel' : 'one per pixel'}, row by row.`,
    );
  }
  return { count, pixels: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** Converts a flat index into indices of an array of this shape, like numpy.unravel_index. */
export function unravelIndex(index: number, shape: readonly number[]): number[] {
  return shape.map((dimension, d) => {
    const stride = shape.slice(d + 1).reduce((product, size) => product * size, 1);
    return Math.floor(index / stride) % dimension;
  });
}

/** Concatenates batches. */
export function joinBatches(batches: readonly ImageBatch[]): ImageBatch {
  if (batches.length === 1) return batches[0]!;
  const count = batches.reduce((sum, batch) => sum + batch.count, 0);
  const whole = batches.every((batch) => batch.pixels instanceof Uint8Array);
  const length = batches.reduce((sum, batch) => sum + batch.pixels.length, 0);
  const pixels = new (whole ? Uint8Array : Float32Array)(length);
  let offset = 0;
  for (const batch of batches) {
    pixels.set(batch.pixels, offset);
    offset += batch.pixels.length;
  }
  return { count, pixels };
}
