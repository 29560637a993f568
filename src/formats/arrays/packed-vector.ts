/** Reads a bare packed vector W1, b1, W2, b2, …, as the notebook's `pack` writes it. */
import {
  channelsLast,
  DEFAULT_IMAGE_SHAPE,
  type RequestedShape,
  showImageShape,
} from '../../domain/image-shape.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import { parameterCount } from '../../numerics/network/layers.ts';
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
  const below = [valueCount(inputShape), ...hidden];
  const classes = (data.length - parameterCount(below)) / (below.at(-1)! + 1);
  if (!Number.isInteger(classes) || classes < 1) {
    const ten = [...below, 10];
    rejectModelFile(
      `${data.length} numbers do not fit a ${below.join('-')} network with any number of classes; ${ten.join('-')} has ${parameterCount(ten)}${
        given === 'auto'
          ? `. If the images are not ${showImageShape(inputShape)}, send the field inputShape`
          : ''
      }`,
      undefined,
      'hidden',
    );
  }
  const layerSizes = [...below, classes];
  checkSizes(layerSizes, vector);
  const parameters = new Float32Array(data.length);
  return { inputShape, layerSizes, parameters, rounded: copyRounded(parameters, vector), hasBiases: true };
}
