/** Reads a bare packed vector W1, b1, W2, b2, …, as the notebook's `pack` writes it. */

import {
  channelsLast,
  DEFAULT_IMAGE_SHAPE,
  type RequestedShape,
  showImageShape,
} from '../../domain/image-shape.ts';
import { architectureText, fullyConnected, parameterCount } from '../../numerics/network/architecture.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import { rejectModelFile, showShape } from '../models/file-error.ts';
import { checkSizes, copyRounded, type PackedLayers } from '../models/pack-layers.ts';
import type { Tensor } from './tensor.ts';

/**
 * The number of classes k follows from the length: the last layer has k (h + 1) numbers for h inputs.
 * @param hidden units of the hidden layers
 * @param given shape of the images, the default shape if it is auto. The order of their numbers is kept
 * @throws AtelierError `invalid-model-file`
 */
export function readPackedVector(
  vector: Tensor,
  hidden: readonly number[] | undefined,
  given: RequestedShape,
): PackedLayers {
  const { shape, data } = vector;
  if (shape.length !== 1)
    rejectModelFile(`a packed vector must have one dimension, but it has shape ${showShape(shape)}`);
  if (hidden === undefined) {
    rejectModelFile(
      `a packed vector of ${data.length} numbers does not contain its layer sizes; give the sizes of the hidden layers`,
      undefined,
      'hidden',
    );
  }
  const inputShape = given === 'auto' ? DEFAULT_IMAGE_SHAPE : channelsLast(given);
  const withClasses = (classes: number) => fullyConnected(inputShape, [...hidden, classes]);
  // The last layer has k (h + 1) numbers, the others the rest.
  const perClass = (hidden.at(-1) ?? valueCount(inputShape)) + 1;
  const classes = 1 + (data.length - parameterCount(withClasses(1))) / perClass;
  if (!Number.isInteger(classes) || classes < 1) {
    const ten = withClasses(10);
    const below = [valueCount(inputShape), ...hidden].join('-');
    rejectModelFile(
      `${data.length} numbers do not fit a ${below} network with any number of classes; ${architectureText(ten)} has ${parameterCount(ten)}${
        given === 'auto'
          ? `. If the images are not ${showImageShape(inputShape)}, send the field inputShape`
          : ''
      }`,
      undefined,
      'hidden',
    );
  }
  const architecture = withClasses(classes);
  checkSizes(architecture, vector);
  const parameters = new Float32Array(data.length);
  return { architecture, parameters, rounded: copyRounded(parameters, vector), hasBiases: true };
}
