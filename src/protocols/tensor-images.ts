/** Tensors of KServe v2, TensorFlow Serving and MLflow → pixels. */

import { AtelierError } from '../errors.ts';
import type { NestedTensor } from '../formats/json/nested-numbers.ts';
import { showShape } from '../formats/models/file-error.ts';
import { findLayout, listForms, toChannelsLast } from '../images/array-shape.ts';
import { type ImageBatch, scaleNumbers, unravelIndex } from '../images/batch.ts';
import { inferScale, type PixelScale } from '../images/pixel-range.ts';
import type { ImageShape } from '../numerics/network/image-shape.ts';

export interface TensorOptions {
  /** Shape of the images that the model takes. */
  readonly image: ImageShape;
  /** Name of the tensor in error messages. */
  readonly name: string;
  /** Inferred from the numbers if the request does not state it. */
  readonly scale?: PixelScale;
  /** Relative rounding error of the numbers' type. */
  readonly rounding: number;
  /** Whether the shape of a single image, without a batch dimension, is allowed. */
  readonly single: boolean;
  /** Advice to the client if a number is out of range. */
  readonly advice?: string;
}

/** @throws AtelierError `invalid-image-size`, `invalid-pixels`, `ambiguous-pixel-range` */
export function fromTensor(
  { shape, values }: NestedTensor,
  { image, name, scale: stated, rounding, single, advice }: TensorOptions,
): ImageBatch {
  const layout = findLayout(shape, image, single);
  if (!layout) {
    throw new AtelierError(
      'invalid-image-size',
      `${name} has shape ${showShape(shape)}; allowed: ${listForms(image, single)}, with n at least 1.`,
    );
  }
  const scale = stated ?? inferScale([values]);
  const pixels = scaleNumbers(values, scale === '0-1', rounding, (index, limit) => {
    throw new AtelierError(
      'invalid-pixels',
      `${name} is ${values[index]} at [${unravelIndex(index, shape).join(', ')}]; its pixels must be from 0 to ${limit}.${advice ? ` ${advice}` : ''}`,
    );
  });
  return { count: layout.count, pixels: toChannelsLast(pixels, layout, image) };
}
