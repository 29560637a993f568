/** Whether a network's numbers stay numbers, whatever image it is shown. */
import { type Network, type Parameters, unpack } from './network.ts';

/**
 * The largest number that can come up, as a value or as a sum on the way to it, while any image of pixels 0–255 is
 * predicted: |bᵢ| + Σⱼ |wᵢⱼ| · max |xⱼ|, layer by layer.
 */
export function logitBound(
  { layerSizes, activation, standardization }: Network,
  parameters: Parameters,
): number {
  const { mean, std } = standardization ?? { mean: 0, std: 1 };
  const saturates = activation === 'tanh' || activation === 'sigmoid';
  let inputs = new Float64Array(layerSizes[0]!).fill(Math.max(Math.abs(mean), Math.abs(1 - mean)) / std);
  let largest = inputs[0]!;
  for (const { weights, biases } of unpack(parameters, layerSizes)) {
    const outputs = Float64Array.from(biases, (bias, i) => {
      let bound = Math.abs(bias);
      for (let j = 0; j < inputs.length; j++) {
        bound += Math.abs(weights[i * inputs.length + j]!) * inputs[j]!;
      }
      return bound;
    });
    largest = outputs.reduce((most, bound) => Math.max(most, bound), largest);
    inputs = saturates ? outputs.map((bound) => Math.min(1, bound)) : outputs;
  }
  return largest;
}
