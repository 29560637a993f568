/** Forward and backward pass of one example. */

import { ACTIVATION_FUNCTIONS, type ActivationFunction } from '../network/activations.ts';
import { layerSizes } from '../network/architecture.ts';
import type { Layer, Network, Parameters } from '../network/layers.ts';
import type { Pixels } from '../training/engine.ts';
import { type ActiveValues, activate, activatePixels, createActiveValues, dropOut } from './active-values.ts';
import { linear, linearBackward, linearBackwardInput } from './linear.ts';
import { foldBiases, pixelScales } from './standardization.ts';

/** Values computed in a pass, layer by layer; entry l belongs to layer l + 1 of the formulas. */
export interface ExamplePass {
  readonly network: Network;
  readonly activation: ActivationFunction;
  /** By channel. */
  readonly pixelScales: Float64Array;
  /** b1 with the mean of the pixels folded in (d1); null without standardization. */
  readonly foldedBiases: Float64Array | null;
  /** a_l (d_l): the input of each layer. */
  readonly a: readonly ActiveValues[];
  /** z_{l+1} (d_{l+1}): the pre-activations of each layer; the last are the logits. */
  readonly z: readonly Float64Array[];
  /** ∂objective/∂z, in the same shapes. */
  readonly dz: readonly Float64Array[];
}

/** One mask per hidden layer (1 for kept units, else 0), and the scale 1 / (1 − p). */
export interface DropoutMasks {
  readonly kept: readonly Uint8Array[];
  readonly scale: number;
}

export function createExamplePass(network: Network): ExamplePass {
  const { architecture, activation, standardization } = network;
  const sizes = layerSizes(architecture);
  const outputs = sizes.slice(1);
  return {
    network,
    activation: ACTIVATION_FUNCTIONS[activation],
    pixelScales: pixelScales(standardization),
    foldedBiases: standardization === null ? null : new Float64Array(outputs[0]!),
    a: sizes.slice(0, -1).map(createActiveValues),
    z: outputs.map((size) => new Float64Array(size)),
    dz: outputs.map((size) => new Float64Array(size)),
  };
}

/** Call before the first pass, and again whenever the parameters have changed. */
export function prepare({ network, foldedBiases }: ExamplePass, layers: readonly Layer<Parameters>[]): void {
  if (foldedBiases !== null) foldBiases(foldedBiases, layers[0]!, network.standardization!);
}

/**
 * a_0 = x / 255, standardized if so configured;  z_l = W_l a_{l−1} + b_l;  a_l = act(z_l) for l < L.
 * Returns the logits z_L (classes). The next pass overwrites them.
 */
export function forwardExample(
  pass: ExamplePass,
  layers: readonly Layer[],
  pixels: Pixels,
  row: number,
  masks: DropoutMasks | null = null,
): Float64Array {
  activatePixels(pass.a[0]!, pixels, row * layers[0]!.inputs, pass.pixelScales);
  for (let l = 0; ; l++) {
    const z = pass.z[l]!;
    const { weights, biases } = layers[l]!;
    linear(z, (l === 0 ? pass.foldedBiases : null) ?? biases, weights, pass.a[l]!);
    if (l + 1 === layers.length) return z;
    activate(pass.a[l + 1]!, z, pass.activation);
    if (masks !== null) dropOut(pass.a[l + 1]!, masks.kept[l]!, masks.scale);
  }
}

/**
 * dW_l += dz_l a_{l−1}ᵀ;  db_l += dz_l;  dz_{l−1} = (W_lᵀ dz_l) ⊙ act'(z_{l−1}), starting from the dz_L in `pass`.
 * The gradient with respect to the input is not needed and not computed.
 */
export function backwardExample(
  gradients: readonly Layer<Float64Array>[],
  pass: ExamplePass,
  layers: readonly Layer<Float64Array>[],
): void {
  for (let l = layers.length - 1; l >= 0; l--) {
    linearBackward(gradients[l]!.weights, gradients[l]!.biases, pass.dz[l]!, pass.a[l]!);
    if (l > 0) linearBackwardInput(pass.dz[l - 1]!, layers[l]!.weights, pass.dz[l]!, pass.a[l]!);
  }
}
