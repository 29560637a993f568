/** Shapes of the images of a model file, and their order in the first layer. */

import {
  channelsLast,
  isImageSize,
  MAX_SIDE,
  MIN_SIDE,
  type RequestedShape,
  squareShape,
} from '../../domain/image-shape.ts';
import { type Architecture, blocks } from '../../numerics/network/architecture.ts';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import { rejectModelFile } from './file-error.ts';

/**
 * @param given of the file or the request
 * @param inputs of the first layer
 * @param found what the file has instead, for the error
 * @throws AtelierError `invalid-model-file` if the shape is neither given nor that of a grey square, or no image has so many values
 */
export function resolveInputShape(given: RequestedShape, inputs: number, found: string): ImageShape {
  if (given !== 'auto') return channelsLast(given);
  const square = squareShape(inputs);
  if (square !== undefined) return square;
  if (!isImageSize(inputs)) {
    return rejectModelFile(
      `${found}, but no image of ${MIN_SIDE} to ${MAX_SIDE} pixels a side, grey or in colour, has ${inputs} values`,
    );
  }
  const defect =
    `${found}, but ${inputs} values are not a square of ${MIN_SIDE} to ${MAX_SIDE} pixels a side; send the field inputShape, ` +
    'such as [32, 32, 3], or [3, 32, 32] if each colour is a plane';
  return rejectModelFile(defect, undefined, 'inputShape');
}

/** @throws AtelierError `invalid-model-file` if the shape of the images of a network with convolutions is not given */
export function requireInputShape(given: RequestedShape): ImageShape {
  if (given !== 'auto') return channelsLast(given);
  const defect =
    'it does not hold the shape of its images, since a convolution takes images of any size; send the field inputShape, such as [28, 28] or [32, 32, 3]';
  return rejectModelFile(defect, undefined, 'inputShape');
}

/**
 * Reorders the weights of the first layer in place, so that the values of an image are those of its pixels, row by row.
 * A convolution has kernels of each channel, which no order of pixels changes.
 * @param sizes of the axes of an image in the file; only that of channels is 3
 * @param axes the order in which the first layer takes them, if it is another one
 */
export function putChannelsLast<
  P extends { readonly architecture: Architecture; readonly parameters: Float32Array },
>(packed: P, sizes: readonly number[], axes: readonly number[] = [...sizes.keys()]): P {
  const { parameters, architecture } = packed;
  if (architecture.convolutions.length > 0) return packed;
  const isChannels = (axis: number) => Number(sizes[axis] === 3);
  const order = [...sizes.keys()]
    .toSorted((a, b) => isChannels(a) - isChannels(b))
    .map((axis) => axes.indexOf(axis));
  if (order.every((axis, i) => axis === i)) return packed;
  const from = transpose(
    axes.map((axis) => sizes[axis]!),
    order,
  );
  const [units, inputs] = blocks(architecture)[0]!.shape as [number, number];
  for (let unit = 0; unit < units; unit++) {
    const row = parameters.subarray(unit * inputs, (unit + 1) * inputs);
    row.set(row.slice().map((_, input, old) => old[from[input]!]!));
  }
  return packed;
}

/** The old position of each number of an array with these sizes after its axes are put into another order. */
function transpose(sizes: readonly number[], order: readonly number[]): number[] {
  let from = [0];
  for (const axis of order) {
    const size = sizes[axis]!;
    const step = sizes.slice(axis + 1).reduce((product, each) => product * each, 1);
    if (size > 1) from = from.flatMap((start) => Array.from({ length: size }, (_, i) => start + i * step));
  }
  return from;
}
