/**
 * Networks: their settings, and the layout of the packed parameters.
 * W1 (d1 × d0, row-major), b1 (d1), W2 (d2 × d1), b2, …
 */

import type { Activation } from './activations.ts';
import {
  type Architecture,
  architectureText,
  type Block,
  blocks,
  parameterCount,
  plan,
  volumeSize,
} from './architecture.ts';

export type Parameters = Float64Array | Float32Array;

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
  readonly architecture: Architecture;
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

/** @throws RangeError when the length does not fit the architecture. */
export function checkLength({ length }: Parameters, architecture: Architecture): void {
  const expected = parameterCount(architecture);
  if (length !== expected) {
    throw new RangeError(
      `A ${architectureText(architecture)} network has ${expected} parameters, not ${length}.`,
    );
  }
}

const view = <P extends Parameters>(packed: P, { start, end }: Block) => packed.subarray(start, end) as P;

/**
 * Views of every fully connected layer into `packed`; writing to a view writes to the vector.
 * @throws RangeError when the length does not fit the architecture.
 */
export function unpack<P extends Parameters>(packed: P, architecture: Architecture): Layer<P>[] {
  checkLength(packed, architecture);
  const dense = plan(architecture).layers.filter(({ type }) => type === 'dense');
  return dense.map(({ input, output, blocks: [weights, biases] }) => ({
    inputs: volumeSize(input),
    outputs: volumeSize(output),
    weights: view(packed, weights!),
    biases: view(packed, biases!),
  }));
}

/**
 * Views of the kernels and weights into `packed`: the blocks to which penalties and weight decay apply. They do not apply to
 * biases and to the parameters of norms.
 */
export const unpackWeights = <P extends Parameters>(packed: P, architecture: Architecture): P[] =>
  blocks(architecture)
    .filter(({ shape }) => shape.length > 1)
    .map((block) => view(packed, block));
