/** Layers of a file → the packed float32 vector, every shape and every number checked. */
import { IMAGE_PIXELS } from '../domain/dataset.ts';
import { type LayerSizes, parameterCount } from '../numerics/network.ts';
import type { NamedLayers } from './layer-names.ts';
import { quote, rejectModelFile, showShape } from './model-file-error.ts';
import type { LayerTensors, Tensor } from './tensor.ts';

export interface PackedLayers {
  readonly layerSizes: LayerSizes;
  readonly parameters: Float32Array;
  /** How many numbers float32 does not hold exactly, and were rounded to it. */
  readonly rounded: number;
}

/** As for trainings. */
export const MAX_HIDDEN_LAYERS = 8;
export const MAX_UNITS = 4096;
const CLASSES = { min: 2, max: 100 };

/** @throws AtelierError `invalid-model-file` naming the tensor, its shape and what was expected */
export function packLayers({ naming, transposed, layers }: NamedLayers): PackedLayers {
  if (layers.length > MAX_HIDDEN_LAYERS + 1) {
    rejectModelFile(`it has ${layers.length - 1} hidden layers; ${MAX_HIDDEN_LAYERS} are the most`);
  }
  const sizes = [IMAGE_PIXELS];
  for (const layer of layers) sizes.push(readUnits(layer, sizes.at(-1)!, transposed));
  const isBinary = naming === 'sklearn' && sizes.at(-1) === 1;
  if (isBinary) sizes[sizes.length - 1] = 2;
  checkSizes(sizes, layers.at(-1)!.weights);

  const parameters = new Float32Array(parameterCount(sizes));
  let [offset, rounded] = [0, 0];
  layers.forEach(({ weights, biases }, l) => {
    const [inputs, units] = [sizes[l]!, sizes[l + 1]!];
    // One logit z says p = sigmoid(z), which is what softmax makes of the logits 0 and z: the first row stays zero.
    const absent = isBinary && l === layers.length - 1 ? 1 : 0;
    const weightsEnd = offset + units * inputs;
    const end = weightsEnd + units;
    const columns = transposed ? weights.shape[1] : null;
    rounded += copyRounded(parameters.subarray(offset + absent * inputs, weightsEnd), weights, columns);
    rounded += copyRounded(parameters.subarray(weightsEnd + absent, end), biases);
    offset = end;
  });
  return { layerSizes: sizes, parameters, rounded };
}

/** @throws AtelierError `invalid-model-file`; `source` is named where the number of classes is wrong */
export function checkSizes(sizes: LayerSizes, source: Tensor): void {
  const [hidden, classes] = [sizes.slice(1, -1), sizes.at(-1)!];
  const wide = hidden.findIndex((units) => units < 1 || units > MAX_UNITS);
  if (wide >= 0)
    rejectModelFile(`hidden layer ${wide + 1} has ${hidden[wide]} units; 1 to ${MAX_UNITS} are possible`);
  if (classes < CLASSES.min || classes > CLASSES.max) {
    rejectModelFile(
      `${quote(source.name)} of shape ${showShape(source.shape)} means ${classes} classes; ${CLASSES.min} to ${CLASSES.max} are possible`,
    );
  }
}

function readUnits({ weights, biases }: LayerTensors, inputs: number, transposed: boolean): number {
  const expected = transposed ? showShape([inputs, 'units']) : showShape(['units', inputs]);
  const [units, found] = transposed ? weights.shape.toReversed() : weights.shape;
  if (weights.shape.length !== 2 || units === undefined || found !== inputs) {
    const hint = weights.shape.length === 2 && units === inputs ? '; transpose it' : '';
    rejectModelFile(
      `${quote(weights.name)} has shape ${showShape(weights.shape)}, expected was ${expected}${hint}`,
    );
  }
  if (biases.shape.length !== 1 || biases.shape[0] !== units) {
    rejectModelFile(
      `${quote(biases.name)} has shape ${showShape(biases.shape)}, expected was ${showShape([units!])}, as ${quote(weights.name)} has ${showShape(weights.shape)}`,
    );
  }
  return units!;
}

/**
 * `columns`: the source is rows × columns and is transposed. Returns how many numbers were rounded.
 * @throws AtelierError `invalid-model-file` for what is not finite in float32
 */
export function copyRounded(
  out: Float32Array,
  { name, data }: Tensor,
  columns: number | null = null,
): number {
  const rows = columns === null ? 1 : data.length / columns;
  let rounded = 0;
  for (let i = 0; i < out.length; i++) {
    const from = columns === null ? i : (i % rows) * columns + Math.floor(i / rows);
    const value = data[from]!;
    out[i] = value;
    if (!Number.isFinite(out[i]))
      rejectModelFile(`${quote(name)} holds ${value} at position ${from}; float32 cannot`);
    if (out[i] !== value) rounded++;
  }
  return rounded;
}
