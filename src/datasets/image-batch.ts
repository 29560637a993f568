/** Images on their way to a prediction, and how the numbers clients send become pixels. */
import { IMAGE_PIXELS } from '../domain/dataset.ts';
import { AtelierError, type ErrorDetail } from '../errors.ts';
import type { Pixels } from '../numerics/engine.ts';

export interface ImageBatch {
  readonly count: number;
  /** count × 784, 0–255: bytes where every pixel is whole, else float32. */
  readonly pixels: Pixels;
}

/** What the client says of its numbers; decided once a request. */
export type PixelScale = '0-1' | '0-255';

export interface PixelOptions {
  readonly pixels?: PixelScale | undefined;
}

export const FLOAT16_ROUNDING = 2 ** -11;
/** Two roundings of float32, as in `bytes * np.float32(1 / 255)`. Float64 too: it often is widened float32. */
export const FLOAT32_ROUNDING = 2 ** -22;

/**
 * 0–1 → 0–255. A value that is k/255 but for rounding becomes exactly k, so that a picture gives the same
 * prediction, bit for bit, in whatever form it is sent.
 * @param rounding relative error that the value's type may have made
 */
export function unitToByteScale(value: number, rounding: number): number {
  const scaled = value * 255;
  const whole = Math.round(scaled);
  return Math.abs(scaled - whole) <= whole * rounding ? whole : scaled;
}

/** Above 1, and yet no picture of 0–255 is so dark: resizing and rounding of 0–1 leave such numbers. */
const MAX_UNIT_ROUNDING = 1.01;

/**
 * Of numbers of which nobody says it: 0–1 where none of any array is greater than 1.
 * @param alternative what else than clipping or dividing them may be done, where there is something
 * @throws AtelierError `ambiguous-pixel-range` where the greatest is just above 1
 */
export function inferScale(
  arrays: readonly ArrayLike<number | bigint>[],
  alternative: ErrorDetail | null = null,
): PixelScale {
  let maximum = 0;
  for (const values of arrays) {
    for (let i = 0; i < values.length; i++) {
      if (values[i]! > MAX_UNIT_ROUNDING) return '0-255';
      if (values[i]! > maximum) maximum = Number(values[i]);
    }
  }
  if (maximum <= 1) return '0-1';
  throw new AtelierError(
    'ambiguous-pixel-range',
    `The greatest of the numbers is ${maximum}: as 0–1 that is too much, and as 0–255 all is black. ` +
      `Clip numbers of 0–1 to 1; divide numbers of 0–255 by 255${alternative ? `, or ${alternative.detail}` : ''}.`,
    { details: alternative ? [alternative] : [] },
  );
}

/**
 * n × 784 numbers → pixels; whole bytes are not copied.
 * @param isUnitScale whether the numbers are 0–1, else 0–255
 * @param rounding relative error that their type may have made
 * @param reject told the first index at which a number is out of range, or none
 */
export function scaleNumbers(
  numbers: ArrayLike<number | bigint>,
  isUnitScale: boolean,
  rounding: number,
  reject: (index: number, limit: 1 | 255) => never,
): ImageBatch {
  if (numbers instanceof Uint8Array && !isUnitScale)
    return { count: numbers.length / IMAGE_PIXELS, pixels: numbers };
  const limit = isUnitScale ? 1 : 255;
  const pixels = new Float32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const value = Number(numbers[i]!);
    if (!(value >= 0 && value <= limit)) reject(i, limit);
    pixels[i] = isUnitScale ? unitToByteScale(value, rounding) : value;
  }
  return toBatch(pixels);
}

/** Bytes where they can say the same: a quarter of the memory, and the same input as a data set's image. */
export function toBatch(pixels: Float32Array): ImageBatch {
  const count = pixels.length / IMAGE_PIXELS;
  const bytes = new Uint8Array(pixels);
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== pixels[i]) return { count, pixels };
  return { count, pixels: bytes };
}

/**
 * n × 784 bytes, not copied.
 * @throws AtelierError `invalid-image-size`
 */
export function decodeBytes(bytes: Uint8Array): ImageBatch {
  const count = bytes.length / IMAGE_PIXELS;
  if (count < 1 || !Number.isInteger(count)) {
    throw new AtelierError(
      'invalid-image-size',
      `${bytes.length} bytes are not a whole number of images. Send 784 bytes an image, one a pixel, row by row.`,
    );
  }
  return { count, pixels: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** Where an element is, in an array of such a shape. */
export function unravelIndex(index: number, shape: readonly number[]): number[] {
  return shape.map((dimension, d) => {
    const stride = shape.slice(d + 1).reduce((product, size) => product * size, 1);
    return Math.floor(index / stride) % dimension;
  });
}

/** One batch of all images, in order. */
export function joinBatches(batches: readonly ImageBatch[]): ImageBatch {
  if (batches.length === 1) return batches[0]!;
  const count = batches.reduce((sum, batch) => sum + batch.count, 0);
  const whole = batches.every((batch) => batch.pixels instanceof Uint8Array);
  const pixels = new (whole ? Uint8Array : Float32Array)(count * IMAGE_PIXELS);
  let offset = 0;
  for (const batch of batches) {
    pixels.set(batch.pixels, offset);
    offset += batch.pixels.length;
  }
  return { count, pixels };
}
