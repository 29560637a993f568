/** One example's way through the network and back. */
import type { Pixels } from '../engine.ts';
import type { Layer, LayerSizes } from '../network.ts';
import { type ActiveValues, activatePixels, activateRelu, createActiveValues } from './active-values.ts';
import { linear, linearBackward, reluBackward } from './linear.ts';

/** What a pass computes, layer by layer; entry l belongs to layer l + 1 of the formulas. */
export interface ExamplePass {
  /** a_l (d_l): the input of each layer */
  readonly a: readonly ActiveValues[];
  /** z_{l+1} (d_{l+1}): its pre-activations; the last are the logits */
  readonly z: readonly Float64Array[];
  /** ∂objective/∂z, the same shapes */
  readonly dz: readonly Float64Array[];
}

export function createExamplePass(sizes: LayerSizes): ExamplePass {
  const outputs = sizes.slice(1);
  return {
    a: sizes.slice(0, -1).map(createActiveValues),
    z: outputs.map((size) => new Float64Array(size)),
    dz: outputs.map((size) => new Float64Array(size)),
  };
}

/**
 * a_0 = x / 255;  z_l = W_l a_{l−1} + b_l;  a_l = max(z_l, 0) for l < L.
 * Returns the logits z_L (classes), which the next pass overwrites.
 */
export function forwardExample(
  pass: ExamplePass,
  layers: readonly Layer[],
  pixels: Pixels,
  row: number,
): Float64Array {
  activatePixels(pass.a[0]!, pixels, row * layers[0]!.inputs);
  for (let l = 0; ; l++) {
    const z = pass.z[l]!;
    linear(z, layers[l]!.biases, layers[l]!.weights, pass.a[l]!);
    if (l + 1 === layers.length) return z;
    activateRelu(pass.a[l + 1]!, z);
  }
}

/**
 * dW_l += dz_l a_{l−1}ᵀ;  db_l += dz_l;  dz_{l−1} = (W_lᵀ dz_l) ⊙ relu'(z_{l−1}), from dz_L in the pass down.
 * The gradient with respect to the pixels is nobody's business and is not computed.
 */
export function backwardExample(
  gradients: readonly Layer<Float64Array>[],
  pass: ExamplePass,
  layers: readonly Layer<Float64Array>[],
): void {
  for (let l = layers.length - 1; l >= 0; l--) {
    linearBackward(gradients[l]!.weights, gradients[l]!.biases, pass.dz[l]!, pass.a[l]!);
    if (l > 0) reluBackward(pass.dz[l - 1]!, layers[l]!.weights, pass.dz[l]!, pass.a[l]!);
  }
}
