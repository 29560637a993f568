/**
 * Networks: their settings, and the layout of the packed parameters.
 * W1 (d1 × d0, row-major), b1 (d1), W2 (d2 × d1), b2, …
 */
import type { Activation } from './activations.ts';

export type Parameters = Float64Array | Float32Array;

/** Layer sizes d0 … dL: inputs, hidden layers, classes. */
export type LayerSizes = readonly number[];

/** One number for all values of an image, or one for each channel of a colour image. */
export type ByChannel = number | [red: number, green: number, blue: number];

/** The input is (x / 255 − mean) / std. */
export interface Standardization {
  readonly mean: ByChannel;
  readonly std: ByChannel;
}

/** The standardization of one channel. */
export interface ChannelStandardization {
  readonly mean: number;
  readonly std: number;
}

/** One entry for all values, or three for colour: value j belongs to entry j modulo their number. */
export function channelStandardizations(
  standardization: Standardization | null,
): readonly [ChannelStandardization, ...ChannelStandardization[]] {
  const { mean, std } = standardization ?? { mean: 0, std: 1 };
  if (typeof mean === 'number' && typeof std === 'number') return [{ mean, std }];
  const pick = (numbers: ByChannel, c: number) => (typeof numbers === 'number' ? numbers : numbers[c]!);
  const channel = (c: number) => ({ mean: pick(mean, c), std: pick(std, c) });
  return [channel(0), channel(1), channel(2)];
}

/** The settings with which a packed vector defines a function of pixels. */
export interface Network {
  readonly layerSizes: LayerSizes;
  readonly activation: Activation;
  readonly standardization: Standardization | null;
}

/** One fully connected layer as views into the packed vector. */
export interface Layer<P extends Parameters = Parameters> {
  readonly inputs: number;
  readonly outputs: number;
  /** outputs × inputs, row-major */
  readonly weights: P;
  /** outputs */
  readonly biases: P;
}

/** The weights or biases of one layer in the packed vector: W1, b1, W2, b2, … in storage order. */
export interface Block {
  readonly name: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** Length of the packed vector: 31,810 for 784-40-10. */
export function parameterCount(sizes: LayerSizes): number {
  let count = 0;
  for (let l = 1; l < sizes.length; l++) count += (sizes[l - 1]! + 1) * sizes[l]!;
  return count;
}

/** The blocks W1, b1, W2, b2, … in the order of the packed vector. */
export function blocks(sizes: LayerSizes): Block[] {
  const found: Block[] = [];
  let start = 0;
  for (let l = 1; l < sizes.length; l++) {
    const [inputs, outputs] = [sizes[l - 1]!, sizes[l]!];
    const weightsEnd = start + inputs * outputs;
    found.push({ name: `W${l}`, shape: [outputs, inputs], start, end: weightsEnd });
    found.push({ name: `b${l}`, shape: [outputs], start: weightsEnd, end: weightsEnd + outputs });
    start = weightsEnd + outputs;
  }
  return found;
}

/**
 * Views of every layer into `packed`; writing to a view writes to the vector.
 * @throws RangeError when the length does not fit the layer sizes.
 */
export function unpack<P extends Parameters>(packed: P, sizes: LayerSizes): Layer<P>[] {
  const expected = parameterCount(sizes);
  if (packed.length !== expected) {
    throw new RangeError(`A ${sizes.join('-')} network has ${expected} parameters, not ${packed.length}.`);
  }
  const found = blocks(sizes);
  return sizes.slice(1).map((outputs, l) => {
    const [w, b] = [found[2 * l]!, found[2 * l + 1]!];
    return {
      inputs: sizes[l]!,
      outputs,
      weights: packed.subarray(w.start, w.end) as P,
      biases: packed.subarray(b.start, b.end) as P,
    };
  });
}
