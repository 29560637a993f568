/** Saliency (Simonyan et al. 2014): the gradient of log p_label with respect to the pixels. */

import { channelCount, type ImageShape, valueCount } from '../network/image-shape.ts';
import { channelStandardizations, type Network, type Parameters } from '../network/layers.ts';
import { softmax } from '../reference/cross-entropy.ts';
import { createExamplePass, forwardExample, prepare } from '../reference/example-pass.ts';
import type { Pixels } from '../training/engine.ts';

/**
 * ∂ log p_label / ∂x of one image, where x is its d0 pixels / 255, in float64. Pixels that are zero have a gradient too.
 * dz_L = onehot(label) − p;  dz_{l−1} = (W_lᵀ dz_l) ⊙ act'(z_{l−1});  dx = W_1ᵀ dz_1 / σ, σ being the deviation
 * of the channel, or 1 without standardization. With convolutions, dx is the gradient of the first one's input / σ.
 * @throws RangeError when the image does not have d0 pixels
 */
export function inputGradient(
  network: Network,
  parameters: Parameters,
  pixels: Pixels,
  label: number,
): Float64Array {
  const inputs = valueCount(network.architecture.inputShape);
  if (pixels.length !== inputs) throw new RangeError(`An image has ${inputs} pixels, not ${pixels.length}.`);
  const pass = createExamplePass(network, parameters);
  prepare(pass);
  const logits = forwardExample(pass, pixels, 0);
  const { layers, dense, image } = pass;
  const dLogits = dense.at(-1)!.dOutput;
  softmax(dLogits, logits); // p, which the next line replaces
  for (let i = 0; i < dLogits.length; i++) dLogits[i] = (i === label ? 1 : 0) - dLogits[i]!;
  for (let l = layers.length - 1; l >= 0; l--) layers[l]!.backward();
  if (image !== null) return image.toPixels();
  const {
    dOutput: dz,
    weights: { values: weights },
  } = dense[0]!;
  const channels = channelStandardizations(network.standardization);
  const dx = new Float64Array(inputs);
  for (let i = 0; i < dz.length; i++) {
    if (dz[i] === 0) continue;
    for (let j = 0; j < inputs; j++)
      dx[j]! += (weights[i * inputs + j]! * dz[i]!) / channels[j % channels.length]!.std;
  }
  return dx;
}

/** Adds the gradients of the channels of each pixel. @returns height × width */
export function sumChannels(gradient: Float64Array, shape: ImageShape): Float64Array {
  const channels = channelCount(shape);
  if (channels === 1) return gradient;
  const sums = new Float64Array(gradient.length / channels);
  for (const [i, value] of gradient.entries()) sums[Math.floor(i / channels)]! += value;
  return sums;
}
