/** Reads a bare packed vector [K1, c1, …], W1, b1, W2, b2, …, as the notebook's `pack` writes it. */

import { channelsLast, type RequestedShape, showImageShape } from '../../domain/image-shape.ts';
import {
  type Architecture,
  architectureText,
  type Norm,
  parameterCount,
  plan,
  volumeSize,
} from '../../numerics/network/architecture.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../numerics/network/image-shape.ts';
import { copyRounded } from '../models/copy-rounded.ts';
import { rejectModelFile, showShape } from '../models/file-error.ts';
import { checkStages } from '../models/pack-convolutions.ts';
import { checkSizes, type PackedLayers } from '../models/pack-layers.ts';
import type { Tensor } from './tensor.ts';

/** The part of an architecture that the length of the vector does not determine. */
export interface GivenLayers {
  /** Units of the hidden layers; required for a packed vector. */
  readonly hidden?: readonly number[] | undefined;
  /**
   * Channels of the convolutions of each stage, such as [[32, 32], [64, 64]]; required for a packed vector that has any, and for
   * named arrays whose shapes do not determine where the pooling is.
   */
  readonly convolutions?: readonly (readonly number[])[] | undefined;
  /** Required if it is `group` for a packed vector, and for a state dict, which does not hold the groups. */
  readonly norm?: Norm | undefined;
}

/**
 * The number of classes k follows from the length: the last layer has k (h + 1) numbers for h inputs.
 * @param given shape of the images, the default shape if it is auto. The order of their numbers is kept
 * @throws AtelierError `invalid-model-file`
 */
export function readPackedVector(
  vector: Tensor,
  { hidden, convolutions = [], norm = 'none' }: GivenLayers,
  given: RequestedShape,
): PackedLayers {
  const { shape, data } = vector;
  if (shape.length !== 1)
    rejectModelFile(`a packed vector must have one dimension, but it has shape ${showShape(shape)}`);
  if (hidden === undefined) {
    rejectModelFile(
      `a packed vector of ${data.length} numbers does not contain its layer sizes; send the field hidden, and if it has convolutions, the fields convolutions and norm`,
      undefined,
      'hidden',
    );
  }
  const inputShape = given === 'auto' ? DEFAULT_IMAGE_SHAPE : channelsLast(given);
  checkStages(convolutions, norm, inputShape);
  const withClasses = (classes: number): Architecture => ({
    inputShape,
    convolutions,
    norm,
    hidden,
    classes,
  });
  // The last layer has k (h + 1) numbers, the others the rest.
  const perClass = volumeSize(plan(withClasses(1)).layers.at(-1)!.input) + 1;
  const classes = 1 + (data.length - parameterCount(withClasses(1))) / perClass;
  if (!Number.isInteger(classes) || classes < 1) {
    const ten = withClasses(10);
    const below = architectureText(ten).replace(/-10$/, '');
    const advice = [
      given === 'auto' && `If the images are not ${showImageShape(inputShape)}, send the field inputShape`,
      convolutions.length === 0 && 'If the network has convolutions, send the field convolutions',
    ].filter((each) => each !== false);
    rejectModelFile(
      [
        `${data.length} numbers do not fit a ${below} network with any number of classes; ${architectureText(ten)} has ${parameterCount(ten)}`,
        ...advice,
      ].join('. '),
      undefined,
      'hidden',
    );
  }
  const architecture = withClasses(classes);
  checkSizes(architecture, vector);
  const parameters = new Float32Array(data.length);
  return { architecture, parameters, rounded: copyRounded(parameters, vector), hasBiases: true };
}
