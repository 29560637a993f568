/** Batches of images, and the conversion of numbers to pixels. */
import { AtelierError } from '../errors.ts';
import { type ImageShape, valueCount } from '../numerics/network/image-shape.ts';
import type { Pixels } from '../numerics/training/engine.ts';
import { describeOtherKind, identifyBody } from './other-kinds.ts';

export interface ImageBatch {
  readonly count: number;
  /** One row of values per image, 0–255: bytes if every value is a whole number, else float32. */
  readonly pixels: Pixels;
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
