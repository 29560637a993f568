/** Checks the convolutions of a file and packs them, with batch normalization folded into them. */
import {
  type Block,
  CONVOLUTION_LIMITS,
  GROUP_CHANNELS,
  type Norm,
  type Volume,
  volumeSize,
} from '../../numerics/network/architecture.ts';
import { channelCount, type ImageShape } from '../../numerics/network/image-shape.ts';
import type { LayerTensors, Normalization, Tensor } from '../arrays/tensor.ts';
import { copyRounded } from './copy-rounded.ts';
import { quote, rejectModelFile, showShape } from './file-error.ts';

interface Stages {
  readonly convolutions: readonly (readonly number[])[];
  readonly norm: Norm;
  /** Inputs of the first fully connected layer. */
  readonly values: number;
}

/**
 * @param layers the convolutions, from the image on; none if all layers are fully connected
 * @throws AtelierError `invalid-model-file` naming the tensor, its shape and what was expected
 */
export function readStages(layers: readonly LayerTensors[], inputShape: ImageShape): Stages {
  const stages: number[][] = [[]];
  let input: Volume = { height: inputShape[0], width: inputShape[1], channels: channelCount(inputShape) };
  for (const layer of layers) {
    const channels = readChannels(layer, input.channels);
    stages.at(-1)!.push(channels);
    input = { ...input, channels };
    if (!layer.isPooled) continue;
    input = halve(input);
    stages.push([]);
  }
  const open = stages.pop()!;
  if (open.length > 0)
    rejectModelFile(
      `${quote(layers.at(-1)!.weights.name)} is the last convolution, but no 2×2 max pooling follows it`,
    );
  const norms = layers.filter(({ norm }) => norm?.statistics === null);
  if (norms.length > 0 && norms.length < layers.length)
    rejectModelFile(
      `${norms.length} of its ${layers.length} convolutions have group normalization; all or none must have it`,
    );
  const norm = norms.length > 0 ? 'group' : 'none';
  checkStages(stages, norm, inputShape);
  return { convolutions: stages, norm, values: volumeSize(input) };
}

/** @throws AtelierError `invalid-model-file` */
export function checkStages(
  stages: readonly (readonly number[])[],
  norm: Norm,
  inputShape: ImageShape,
): void {
  const reject = (defect: string) => rejectModelFile(defect, undefined, 'convolutions');
  const long = stages.findIndex(({ length }) => length < 1 || length > CONVOLUTION_LIMITS.perStage);
  const counts = stages.map(({ length }) => length).join(', ');
  if (stages.length > CONVOLUTION_LIMITS.stages || long >= 0)
    reject(
      `its stages, each of which ends with 2×2 max pooling, have ${counts} convolutions; 1 to ${CONVOLUTION_LIMITS.perStage} in at most ${CONVOLUTION_LIMITS.stages} stages are allowed`,
    );
  for (const channels of stages.flat()) {
    checkChannels(channels);
    if (norm === 'group' && channels % GROUP_CHANNELS !== 0)
      reject(
        `a convolution with group normalization has ${channels} channels, which is not a multiple of ${GROUP_CHANNELS}`,
      );
  }
  let [height, width]: readonly number[] = inputShape;
  for (const stage of stages.keys()) {
    [height, width] = [height! >> 1, width! >> 1];
    if (height === 0 || width === 0)
      reject(
        `images of ${inputShape.join('×')} are ${height}×${width} after stage ${stage + 1}; at least 1×1 must remain`,
      );
  }
}

function checkChannels(channels: number): void {
  if (channels < 1 || channels > CONVOLUTION_LIMITS.channels)
    rejectModelFile(
      `a convolution has ${channels} channels; 1 to ${CONVOLUTION_LIMITS.channels} are allowed`,
      undefined,
      'convolutions',
    );
}

/** Values after 2×2 max pooling, which drops an odd last row or column. */
export const halve = ({ height, width, channels }: Volume): Volume => ({
  height: height >> 1,
  width: width >> 1,
  channels,
});

/**
 * @param inputs channels that the convolution must take
 * @returns its own channels
 * @throws AtelierError `invalid-model-file`
 */
export function readChannels({ weights, biases, norm }: LayerTensors, inputs: number): number {
  const { name, shape } = weights;
  const [channels = 0, ...rest] = shape;
  if (rest.join() !== `${inputs},3,3`)
    rejectModelFile(
      `${quote(name)} has shape ${showShape(shape)}, but must have ${showShape(['channels', inputs, 3, 3])}: a 3×3 convolution of ${inputs} channels, without groups`,
    );
  checkChannels(channels);
  const { scale = null, shift = null, statistics = null } = norm ?? {};
  for (const vector of [biases, scale, shift, statistics?.mean, statistics?.variance])
    if (vector && (vector.shape.length !== 1 || vector.shape[0] !== channels))
      rejectModelFile(
        `${quote(vector.name)} has shape ${showShape(vector.shape)}, but must have ${showShape([channels])}, since ${quote(name)} has ${showShape(shape)}`,
      );
  return channels;
}

/**
 * Copies kernels, biases, and scales and shifts of group normalization into their blocks.
 * @returns the number of values that were rounded
 */
export function packConvolutions(
  parameters: Float32Array,
  blocks: readonly Block[],
  layers: readonly LayerTensors[],
): number {
  let [at, rounded] = [0, 0];
  const next = () => {
    const { start, end } = blocks[at++]!;
    return parameters.subarray(start, end);
  };
  for (const layer of layers) {
    const [kernels, biases] = [next(), next()];
    if (layer.norm?.statistics) rounded += foldNormalization(kernels, biases, layer, layer.norm);
    else {
      rounded += copyRounded(kernels, layer.weights);
      if (layer.biases) rounded += copyRounded(biases, layer.biases);
    }
    if (layer.norm?.statistics !== null) continue;
    const { scale, shift } = layer.norm;
    const scales = next();
    if (scale) rounded += copyRounded(scales, scale);
    else scales.fill(1);
    const shifts = next();
    if (shift) rounded += copyRounded(shifts, shift);
  }
  return rounded;
}

/** For each channel, with f = scale / √(variance + epsilon): kernel · f and (bias − mean) · f + shift. */
function foldNormalization(
  kernels: Float32Array,
  biases: Float32Array,
  { weights, biases: given }: LayerTensors,
  { scale, shift, statistics }: Normalization,
): number {
  const { mean, variance, epsilon } = statistics!;
  const size = kernels.length / biases.length;
  let rounded = 0;
  const folded = Float64Array.from(biases, (_, c) => {
    const spread = variance.data[c]! + epsilon;
    if (!(spread > 0))
      rejectModelFile(
        `${quote(variance.name)} has ${variance.data[c]} at position ${c}; a variance is not negative`,
      );
    const factor = (scale?.data[c] ?? 1) / Math.sqrt(spread);
    const [start, end] = [c * size, (c + 1) * size];
    const data = weights.data.subarray(start, end);
    rounded += copyRounded(kernels.subarray(start, end), { ...weights, data }, null, factor);
    return ((given?.data[c] ?? 0) - mean.data[c]!) * factor + (shift?.data[c] ?? 0);
  });
  const tensor: Tensor = { name: shift?.name ?? mean.name, shape: [biases.length], data: folded };
  return rounded + copyRounded(biases, tensor);
}
