/** A bound on the numbers of a forward pass, to detect networks that could overflow. */

import { ACTIVATION_FUNCTIONS } from './activations.ts';
import { type Block, GROUP_CHANNELS, type PlannedLayer, plan, volumeSize } from './architecture.ts';
import { channelStandardizations, type Network, type Parameters } from './layers.ts';

/**
 * The largest value or partial sum that can occur in the forward pass of any image of pixels 0–255:
 * |bᵢ| + Σⱼ |wᵢⱼ| · max |xⱼ|, layer by layer. Channels have one bound for all positions. The squares of a group of m values that are
 * at most B add up to m B² at most; normalized, none of them exceeds √(m − 1), so γ √(m − 1) + |β| bounds the result.
 */
export function logitBound(
  { architecture, activation, standardization }: Network,
  parameters: Parameters,
): number {
  const { largest: largestActivation } = ACTIVATION_FUNCTIONS[activation];
  const bounds = channelStandardizations(standardization).map(
    ({ mean, std }) => Math.max(Math.abs(mean), Math.abs(1 - mean)) / std,
  );
  const { layers } = plan(architecture);
  const [{ type: firstType, input: image }] = layers as [PlannedLayer];
  // One bound for each channel, until a fully connected layer takes all values.
  const count = firstType === 'dense' ? volumeSize(image) : image.channels;
  let inputs = Float64Array.from({ length: count }, (_, j) => bounds[j % bounds.length]!);
  let largest = Math.max(...bounds);
  const read = ({ start, end }: Block) => parameters.subarray(start, end);
  const note = (values: Float64Array) => {
    largest = values.reduce((most, bound) => Math.max(most, bound), largest);
  };
  for (const [
    l,
    {
      type,
      input,
      blocks: [first, second],
    },
  ] of layers.entries()) {
    if (type === 'maxPool') continue;
    const [weights, biases] = [read(first!), read(second!)];
    if (type === 'groupNorm') {
      const size = GROUP_CHANNELS * input.height * input.width;
      note(inputs.map((bound) => size * bound * bound));
      inputs = inputs.map((_, c) => Math.abs(weights[c]!) * Math.sqrt(size - 1) + Math.abs(biases[c]!));
    } else {
      // Successive weights of each bound: a kernel, or all values of a channel.
      const taps = type === 'convolution' ? 9 : volumeSize(input) / inputs.length;
      const given = inputs;
      const fanIn = taps * given.length;
      inputs = Float64Array.from(biases, (bias, i) => {
        let bound = Math.abs(bias);
        for (let j = 0; j < fanIn; j++)
          bound += Math.abs(weights[i * fanIn + j]!) * given[Math.floor(j / taps)]!;
        return bound;
      });
    }
    note(inputs);
    if (layers[l + 1]?.type !== 'groupNorm' && l < layers.length - 1) inputs = inputs.map(largestActivation);
  }
  return largest;
}
