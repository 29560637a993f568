/** Decodes .npy arrays of images to pixels. */
import { IMAGE_PIXELS, IMAGE_SIDE } from '../domain/datasets/representation.ts';
import { AtelierError } from '../errors.ts';
import { type NpyArray, parseNpy } from '../formats/arrays/npy.ts';
import {
  FLOAT16_ROUNDING,
  FLOAT32_ROUNDING,
  type ImageBatch,
  inferScale,
  type PixelOptions,
  scaleNumbers,
  unravelIndex,
} from './batch.ts';

/**
 * Decodes one or more images of any numeric dtype. If `options.pixels` is not set, integers are 0–255, and floats are
 * 0–1 if their maximum is at most 1, else 0–255.
 * @throws AtelierError `malformed-body`, `invalid-image-size`, `invalid-pixels`, or `ambiguous-pixel-range` if the
 *   maximum of floats is just above 1 and `options.pixels` is not set
 */
export function decodeNpy(bytes: Uint8Array, options: PixelOptions = {}): ImageBatch {
  return decodeNpyFiles([bytes], options)[0]!;
}

/** Decodes the arrays of one request. The scale of floats is inferred from all of them together. */
export function decodeNpyFiles(files: readonly Uint8Array[], { pixels }: PixelOptions = {}): ImageBatch[] {
  const arrays = files.map(readImages);
  const floats = arrays.filter(isFloat).map(({ data }) => data);
  const floatScale = pixels ?? inferScale(floats, { parameter: 'pixels', detail: 'set ?pixels=0-255' });
  const wholeScale = pixels ?? '0-255';
  return arrays.map((array) => toPixels(array, isFloat(array) ? floatScale === '0-1' : wholeScale === '0-1'));
}

function readImages(bytes: Uint8Array): NpyArray {
  const array = parseNpy(bytes);
  assertImageShape(array.shape);
  return array;
}

/** @throws AtelierError `invalid-image-size` */
export function assertImageShape(shape: readonly number[]): void {
  if (!isImage(shape) && !isImages(shape)) {
    throw new AtelierError(
      'invalid-image-size',
      `The array has shape (${shape.join(', ')}), but must have shape (28, 28), (28, 28, 1), (784), (n, 28, 28), (n, 28, 28, 1) or (n, 784) with n at least 1.`,
    );
  }
}

const IMAGE_SHAPES = [`${IMAGE_PIXELS}`, `${IMAGE_SIDE},${IMAGE_SIDE}`, `${IMAGE_SIDE},${IMAGE_SIDE},1`];
const isImage = (shape: readonly number[]) => IMAGE_SHAPES.includes(shape.join());

/** Whether the shape is (n, 784), (n, 28, 28) or (n, 28, 28, 1) with n at least 1. */
export function isImages([count, ...image]: readonly number[]): boolean {
  return count! >= 1 && isImage(image);
}

export function isFloat({ dtype }: Pick<NpyArray, 'dtype'>): boolean {
  return dtype.startsWith('f');
}

/**
 * @param unit whether the numbers are 0–1
 * @param part for error messages: the index of the first number, if `data` is only a part of the array, and what chooses
 *   the range
 * @throws AtelierError `invalid-pixels`
 */
export function toPixels(
  { data, dtype, shape }: NpyArray,
  unit: boolean,
  { first, choice } = { first: 0, choice: '?pixels=' },
): ImageBatch {
  const rounding = dtype === 'f2' ? FLOAT16_ROUNDING : FLOAT32_ROUNDING;
  return scaleNumbers(data, unit, rounding, (index, limit) => {
    const floats = ` Floats range from 0 to 1 if none is greater than 1; set ${choice} to choose the range.`;
    throw new AtelierError(
      'invalid-pixels',
      `The pixel at [${unravelIndex(first + index, shape).join(', ')}] is ${data[index]}, but must be from 0 to ${limit}.` +
        (dtype.startsWith('f') ? floats : ''),
    );
  });
}
