/**
 * Networks: their settings, and the layout of the packed parameters.
 * W1 (d1 × d0, row-major), b1 (d1), W2 (d2 × d1), b2, …
 */

import type { Activation } from './activations.ts';
import { type Architecture, architectureText, plan, volumeSize } from './architecture.ts';

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

/**
 * Views of every layer into `packed`; writing to a view writes to the vector.
 * @throws RangeError when the length does not fit the architecture.
 */
export function unpack<P extends Parameters>(packed: P, architecture: Architecture): Layer<P>[] {
  const { layers, parameterCount } = plan(architecture);
  if (packed.length !== parameterCount) {
    throw new RangeError(
      `A ${architectureText(architecture)} network has ${parameterCount} parameters, not ${packed.length}.`,
    );
  }
  return layers.map(({ input, output, blocks }) => {
    const [w, b] = [blocks[0]!, blocks[1]!];
    return {
      inputs: volumeSize(input),
      outputs: volumeSize(output),
      weights: packed.subarray(w.start, w.end) as P,
      biases: packed.subarray(b.start, b.end) as P,
    };
  });
}
