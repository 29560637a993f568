/** Decodes .npy arrays of images to pixels. */
import { AtelierError } from '../errors.ts';
import { type NpyArray, parseNpy } from '../formats/arrays/npy.ts';
import type { ImageShape } from '../numerics/network/image-shape.ts';
import type { Pixels } from '../numerics/training/engine.ts';
import { type ArrayLayout, findLayout, listForms, toChannelsLast } from './array-shape.ts';
import { FLOAT16_ROUNDING, FLOAT32_ROUNDING, type ImageBatch, scaleNumbers, unravelIndex } from './batch.ts';
import { inferScale, type PixelOptions } from './pixel-range.ts';

/**
 * Decodes one or more images of any numeric dtype. If `options.pixels` is not set, their range is inferred.
 * @throws AtelierError `malformed-body`, `invalid-image-size`, `invalid-pixels`, `ambiguous-pixel-range`
 */
export function decodeNpy(bytes: Uint8Array, image: ImageShape, options: PixelOptions = {}): ImageBatch {
  return decodeNpyFiles([bytes], image, options)[0]!;
}

/** Decodes the arrays of one request. The scale of floats is inferred from all of them together. */
export function decodeNpyFiles(
  files: readonly Uint8Array[],
  image: ImageShape,
  { pixels }: PixelOptions = {},
): ImageBatch[] {
  const arrays = files.map((file) => parseNpy(file));
  const layouts = arrays.map(({ shape }) => readLayout(shape, image));
  const floats = arrays.filter(isFloat).map(({ data }) => data);
  const floatScale = pixels ?? inferScale(floats, { parameter: 'pixels', detail: 'set ?pixels=0-255' });
  const wholeScale = pixels ?? '0-255';
  return arrays.map((array, n) => {
    const isUnit = (isFloat(array) ? floatScale : wholeScale) === '0-1';
    const layout = layouts[n]!;
    const pixels = toPixels(array, isUnit);
    return { count: layout.count, pixels: toChannelsLast(pixels, layout, image) };
  });
}

/** @throws AtelierError `invalid-image-size` unless the array holds images of this shape, or one */
export function readLayout(shape: readonly number[], image: ImageShape): ArrayLayout {
  const layout = findLayout(shape, image, true);
  if (layout) return layout;
  throw new AtelierError(
    'invalid-image-size',
    `The array has shape (${shape.join(', ')}); allowed: ${listForms(image, true)}, with n at least 1.`,
  );
}

export function isFloat({ dtype }: Pick<NpyArray, 'dtype'>): boolean {
  return dtype.startsWith('f');
}

/**
 * Converts the numbers of an array; their order remains.
 * @param unit whether the numbers are 0–1
 * @param part for error messages: the index of the first number, if `data` is only a part of the array, and what chooses
 *   the range
 * @throws AtelierError `invalid-pixels`
 */
export function toPixels(
  { data, dtype, shape }: NpyArray,
  unit: boolean,
  { first, choice } = { first: 0, choice: '?pixels=' },
): Pixels {
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
