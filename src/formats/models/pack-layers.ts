/** Packs the layers of a file into one float32 vector, checking every shape and number. */

import { MAX_CLASSES, MIN_CLASSES } from '../../domain/datasets/representation.ts';
import { type RequestedShape, squareShape } from '../../domain/image-shape.ts';
import { type Architecture, blocks, parameterCount } from '../../numerics/network/architecture.ts';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import { isConvolution, type LayerTensors, type Tensor } from '../arrays/tensor.ts';
import { copyRounded } from './copy-rounded.ts';
import { quote, rejectModelFile, showShape } from './file-error.ts';
import { requireInputShape, resolveInputShape } from './input-shape.ts';
import { packConvolutions, readStages } from './pack-convolutions.ts';

export interface PackedLayers {
  readonly architecture: Architecture;
  readonly parameters: Float32Array;
  /** Number of values that were rounded to float32. */
  readonly rounded: number;
  /** Whether every layer has biases or batch normalization; missing biases are zero. */
  readonly hasBiases: boolean;
}

/** Limits of a network, the same as for trainings. */
export const MAX_HIDDEN_LAYERS = 8;
export const MAX_UNITS = 4096;

/**
 * @param layers convolutions, then fully connected layers, to the output
 * @param given shape of the images, auto if the first layer decides. The order of their numbers is kept
 * @param mayBeBinary whether a single output z means p = sigmoid(z)
 * @throws AtelierError `invalid-model-file` naming the tensor, its shape and what was expected
 */
export function packLayers(
  layers: readonly LayerTensors[],
  given: RequestedShape,
  mayBeBinary: boolean,
): PackedLayers {
  const convolutional = layers.filter(isConvolution);
  const dense = layers.slice(convolutional.length);
  if (dense.length === 0) rejectModelFile('it has no fully connected layer after its convolutions');
  if (dense.length > MAX_HIDDEN_LAYERS + 1) {
    rejectModelFile(`it has ${dense.length - 1} hidden layers; the limit is ${MAX_HIDDEN_LAYERS}`);
  }
  const inputShape = readInputShape(layers[0]!, given);
  const { values, ...stages } = readStages(convolutional, inputShape);
  const sizes = [values];
  for (const layer of dense) sizes.push(readUnits(layer, sizes.at(-1)!));
  const isBinary = mayBeBinary && sizes.at(-1) === 1;
  if (isBinary) sizes[sizes.length - 1] = 2;
  const architecture = { inputShape, ...stages, hidden: sizes.slice(1, -1), classes: sizes.at(-1)! };
  checkSizes(architecture, layers.at(-1)!.weights);

  const parameters = new Float32Array(parameterCount(architecture));
  const packed = blocks(architecture);
  let rounded = packConvolutions(parameters, packed, convolutional);
  let offset = packed.find(({ name }) => name === 'W1')!.start;
  dense.forEach(({ weights, biases, transposed, factors = { weights: 1, biases: 1 } }, l) => {
    const [inputs, units] = [sizes[l]!, sizes[l + 1]!];
    // sigmoid(z) equals the softmax of the logits 0 and z, so the first row stays zero.
    const absent = isBinary && l === dense.length - 1 ? 1 : 0;
    const weightsEnd = offset + units * inputs;
    const end = weightsEnd + units;
    const columns = transposed ? weights.shape[1] : null;
    const [target, targetBiases] = [
      parameters.subarray(offset + absent * inputs, weightsEnd),
      parameters.subarray(weightsEnd + absent, end),
    ];
    rounded += copyRounded(target, weights, columns, factors.weights);
    if (biases !== null) rounded += copyRounded(targetBiases, biases, null, factors.biases);
    offset = end;
  });
  const hasBiases = layers.every(({ biases, norm }) => biases !== null || norm?.statistics);
  return { architecture, parameters, rounded, hasBiases };
}

/** @throws AtelierError `invalid-model-file`, naming `source` if the number of classes is invalid */
export function checkSizes({ hidden, classes }: Architecture, source: Tensor): void {
  const wide = hidden.findIndex((units) => units < 1 || units > MAX_UNITS);
  if (wide >= 0)
    rejectModelFile(`hidden layer ${wide + 1} has ${hidden[wide]} units; 1 to ${MAX_UNITS} are allowed`);
  if (classes < MIN_CLASSES || classes > MAX_CLASSES) {
    rejectModelFile(
      `${quote(source.name)} of shape ${showShape(source.shape)} means ${classes} classes; ${MIN_CLASSES} to ${MAX_CLASSES} are allowed`,
    );
  }
}

function readInputShape(layer: LayerTensors, given: RequestedShape): ImageShape {
  if (isConvolution(layer)) return requireInputShape(given);
  const { weights, transposed } = layer;
  const { name, shape } = weights;
  const found = `${quote(name)} has shape ${showShape(shape)}`;
  const [units = 0, inputs = 0] = transposed ? shape.toReversed() : shape;
  if (given === 'auto' && (shape.length !== 2 || (!squareShape(inputs) && squareShape(units)))) {
    const hint = shape.length === 2 ? '; transpose it' : '';
    const expected = transposed ? ['values', 'units'] : ['units', 'values'];
    return rejectModelFile(`${found}, but must have ${showShape(expected)}${hint}`);
  }
  return resolveInputShape(given, inputs, found);
}

function readUnits({ weights, biases, transposed }: LayerTensors, inputs: number): number {
  const expected = transposed ? showShape([inputs, 'units']) : showShape(['units', inputs]);
  const [units, found] = transposed ? weights.shape.toReversed() : weights.shape;
  if (weights.shape.length !== 2 || units === undefined || found !== inputs) {
    const hint = weights.shape.length === 2 && units === inputs ? '; transpose it' : '';
    rejectModelFile(
      `${quote(weights.name)} has shape ${showShape(weights.shape)}, but must have ${expected}${hint}`,
    );
  }
  if (biases !== null && (biases.shape.length !== 1 || biases.shape[0] !== units)) {
    rejectModelFile(
      `${quote(biases.name)} has shape ${showShape(biases.shape)}, but must have ${showShape([units!])}, since ${quote(weights.name)} has ${showShape(weights.shape)}`,
    );
  }
  return units!;
}
