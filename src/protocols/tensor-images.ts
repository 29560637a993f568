/** Tensors of KServe v2, TensorFlow Serving and MLflow → pixels. */

import { IMAGE_PIXELS, IMAGE_SIDE } from '../domain/datasets/representation.ts';
import { AtelierError } from '../errors.ts';
import type { NestedTensor } from '../formats/json/nested-numbers.ts';
import { showShape } from '../formats/models/file-error.ts';
import { type ImageBatch, type PixelScale, scaleNumbers, unravelIndex } from '../images/batch.ts';

const ONE_IMAGE = [[IMAGE_PIXELS], [IMAGE_SIDE, IMAGE_SIDE]];
/** Allowed shapes of each image of a batch. */
const IMAGES = [...ONE_IMAGE, [1, IMAGE_SIDE, IMAGE_SIDE], [IMAGE_SIDE, IMAGE_SIDE, 1]];
const ALLOWED = '(n, 784), (n, 28, 28), (n, 1, 28, 28) and (n, 28, 28, 1)';

export interface TensorOptions {
  /** Name of the tensor in error messages. */
  readonly name: string;
  readonly scale: PixelScale;
  /** Relative rounding error of the numbers' type. */
  readonly rounding: number;
  /** Whether the shape of a single image, without a batch dimension, is allowed. */
  readonly single: boolean;
  /** Advice to the client if a number is out of range. */
  readonly advice?: string;
}

/** @throws AtelierError `invalid-image-size`, `invalid-pixels` */
export function fromTensor(
  { shape, values }: NestedTensor,
  { name, scale, rounding, single, advice }: TensorOptions,
): ImageBatch {
  const [count, ...image] = shape;
  const fits = (wanted: readonly number[]) => wanted.join() === image.join();
  const isOne = single && ONE_IMAGE.some((wanted) => wanted.join() === shape.join());
  if (!isOne && !(count! >= 1 && IMAGES.some(fits))) {
    throw new AtelierError(
      'invalid-image-size',
      `${name} has shape ${showShape(shape)}; allowed: ${ALLOWED}${single ? ', (784) and (28, 28)' : ''}, with n at least 1.`,
    );
  }
  return scaleNumbers(values, scale === '0-1', rounding, (index, limit) => {
    throw new AtelierError(
      'invalid-pixels',
      `${name} is ${values[index]} at [${unravelIndex(index, shape).join(', ')}]; its pixels must be from 0 to ${limit}.${advice ? ` ${advice}` : ''}`,
    );
  });
}
