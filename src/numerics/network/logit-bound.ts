/** A bound on the numbers of a forward pass, to detect networks that could overflow. */

import { ACTIVATION_FUNCTIONS } from './activations.ts';
import { valueCount } from './image-shape.ts';
import { channelStandardizations, type Network, type Parameters, unpack } from './layers.ts';

/**
 * The largest value or partial sum that can occur in the forward pass of any image of pixels 0–255:
 * |bᵢ| + Σⱼ |wᵢⱼ| · max |xⱼ|, layer by layer.
 */
export function logitBound(
  { architecture, activation, standardization }: Network,
  parameters: Parameters,
): number {
  const { largest: largestActivation } = ACTIVATION_FUNCTIONS[activation];
  const bounds = channelStandardizations(standardization).map(
    ({ mean, std }) => Math.max(Math.abs(mean), Math.abs(1 - mean)) / std,
  );
  let inputs = Float64Array.from(
    { length: valueCount(architecture.inputShape) },
    (_, j) => bounds[j % bounds.length]!,
  );
  let largest = Math.max(...bounds);
  for (const { weights, biases } of unpack(parameters, architecture)) {
    const outputs = Float64Array.from(biases, (bias, i) => {
      let bound = Math.abs(bias);
      for (let j = 0; j < inputs.length; j++) {
        bound += Math.abs(weights[i * inputs.length + j]!) * inputs[j]!;
      }
      return bound;
    });
    largest = outputs.reduce((most, bound) => Math.max(most, bound), largest);
    inputs = outputs.map(largestActivation);
  }
  return largest;
}
