/** The objective of a batch, its gradient, and the step against it. */
import type { BatchSums, Examples } from '../engine.ts';
import { type LayerSizes, unpack } from '../network.ts';
import { argmax, crossEntropy, crossEntropyBackward } from './cross-entropy.ts';
import { backwardExample, createExamplePass, forwardExample } from './example-pass.ts';

/**
 * Writes the gradient of the given examples into the vector it was created with, and their loss and correct
 * answers into `sums`.
 */
export type ComputeGradient = (sums: BatchSums, examples: Examples, batch: Uint32Array, l2: number) => void;

/**
 * objective = mean_n( logsumexp(z_L[n]) − z_L[n, y_n] ) + (l2 / 2) Σ_l ‖W_l‖²
 * dW_l = dz_lᵀ a_{l−1} + l2 W_l;  db_l = Σ_n dz_l;  dz_L = (p − onehot(y)) / N.
 * Both vectors are packed; `parameters` is read anew in each call. Examples are summed in the order of the batch.
 */
export function createComputeGradient(
  gradient: Float64Array,
  parameters: Float64Array,
  sizes: LayerSizes,
): ComputeGradient {
  const layers = unpack(parameters, sizes);
  const gradients = unpack(gradient, sizes);
  const pass = createExamplePass(sizes);
  const dLogits = pass.dz[layers.length - 1]!;
  return (sums, examples, batch, l2) => {
    sums.loss = 0;
    sums.correct = 0;
    gradient.fill(0);
    for (let n = 0; n < batch.length; n++) {
      const row = batch[n]!;
      const label = examples.labels[row]!;
      const logits = forwardExample(pass, layers, examples.pixels, row);
      sums.loss += crossEntropy(logits, label);
      if (argmax(logits) === label) sums.correct++;
      crossEntropyBackward(dLogits, logits, label, batch.length);
      backwardExample(gradients, pass, layers);
    }
    if (l2 > 0) for (let l = 0; l < layers.length; l++) decay(gradients[l]!.weights, layers[l]!.weights, l2);
  };
}

/** dW += l2 W */
function decay(dWeights: Float64Array, weights: Float64Array, l2: number): void {
  for (let i = 0; i < weights.length; i++) dWeights[i]! += l2 * weights[i]!;
}

/** w −= rate · g: stochastic gradient descent. */
export function descend(parameters: Float64Array, gradient: Float64Array, rate: number): void {
  for (let i = 0; i < parameters.length; i++) parameters[i]! -= rate * gradient[i]!;
}
