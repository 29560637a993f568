/** The objective of a batch and its gradient. */

import { distill } from '../examples/distillation.ts';
import { drawMixingFraction, drawPartners, mixPixels } from '../examples/mixup.ts';
import { valueCount } from '../network/image-shape.ts';
import { type Network, unpackWeights } from '../network/layers.ts';
import type { BatchSums, Examples, ObjectiveSettings, StepPosition } from '../training/engine.ts';
import { argmax, crossEntropy, crossEntropyBackward, labelTarget } from './cross-entropy.ts';
import {
  backwardExample,
  completeGradient,
  createExamplePass,
  forwardExample,
  prepare,
} from './example-pass.ts';
import { createAugmentImage, createDrawMasks } from './random-changes.ts';

/**
 * Writes the gradient of the given examples into the vector it was created with, and their plain cross-entropy and
 * number of correct predictions into `sums`.
 */
export type ComputeGradient = (
  sums: BatchSums,
  examples: Examples,
  batch: Uint32Array,
  position: Pick<StepPosition, 'epoch' | 'start'>,
) => void;

/**
 * objective = (1/N) Σ_n c_n ℓ_n + l1 Σ_l |W_l| + (l2 / 2) Σ_l ‖W_l‖², c_n the weight of the class of example n,
 * ℓ_n = −Σ_k q_nk log p_nk, q = (1 − ε) onehot(y) + ε / K. Like Keras, it divides by N, not by Σ c_n.
 * dz_L = c_n (p − q) / N;  dW_l = dz_lᵀ a_{l−1} + l1 sign(W_l) + l2 W_l;  db_l = Σ_n dz_l; kernels likewise.
 * With distillation, q is mixed with the teachers' probabilities; see distillation.ts.
 * With mixup, c_n ℓ_n is λ c_y ℓ(y) + (1 − λ) c_y′ ℓ(y′), and dz_L is the sum for both labels.
 * Both vectors are packed; `parameters` is read again in each call. Examples are summed in the order of the batch.
 */
export function createComputeGradient(
  gradient: Float64Array,
  parameters: Float64Array,
  settings: Network & ObjectiveSettings & { readonly seed: number },
): ComputeGradient {
  const { architecture, seed, classWeights, labelSmoothing, l1, l2, mixup, distillation } = settings;
  const weights = unpackWeights(parameters, architecture);
  const dWeights = unpackWeights(gradient, architecture);
  const pass = createExamplePass(settings, parameters, gradient);
  const dLogits = pass.dense.at(-1)!.dOutput;
  const dTarget = new Float64Array(dLogits.length);
  const target = new Float64Array(dLogits.length);
  const inputs = valueCount(architecture.inputShape);
  const image = new Uint8Array(inputs);
  const drawMasks = createDrawMasks(architecture, settings.dropout, seed);
  const augmentImage = createAugmentImage(settings);

  return (sums, { pixels, labels }, batch, { epoch, start }) => {
    const fraction = mixup === null ? 1 : drawMixingFraction(mixup, seed, epoch, start);
    const partners = new Uint32Array(batch.length);
    if (mixup !== null) drawPartners(partners, seed, epoch, start);
    sums.loss = 0;
    sums.correct = 0;
    gradient.fill(0);
    prepare(pass);
    for (let n = 0; n < batch.length; n++) {
      const partner = partners[n]!;
      image.set(imageAt(n));
      if (mixup !== null) mixPixels(image, imageAt(partner), fraction);
      const masks = drawMasks?.(epoch, start + n) ?? null;
      const logits = forwardExample(pass, image, 0, masks);
      dLogits.fill(0);
      addTarget(n, fraction);
      if (mixup !== null) addTarget(partner, 1 - fraction);
      if (argmax(logits) === labelAt(fraction >= 0.5 ? n : partner)) sums.correct++;
      backwardExample(pass);

      /** Adds the gradient for the target of example i of the batch. */
      function addTarget(i: number, part: number): void {
        const label = labelAt(i);
        const weight = (part * (classWeights?.[label] ?? 1)) / batch.length;
        sums.loss += part * crossEntropy(logits, label);
        labelTarget(target, label, labelSmoothing);
        if (distillation !== null) distill(target, distillation, batch[i]!);
        crossEntropyBackward(dTarget, logits, target, weight);
        for (let k = 0; k < dTarget.length; k++) dLogits[k]! += dTarget[k]!;
      }
    }

    function labelAt(n: number): number {
      return labels[batch[n]!]!;
    }

    /** Image n of the batch, augmented; the next call may overwrite it. */
    function imageAt(n: number): Uint8Array {
      const row = batch[n]!;
      if (augmentImage !== null) return augmentImage(pixels, row, epoch, start + n);
      return pixels.subarray(row * inputs, (row + 1) * inputs);
    }

    completeGradient(pass);
    for (let l = 0; l < weights.length; l++) {
      if (l1 > 0) addL1(dWeights[l]!, weights[l]!, l1);
      if (l2 > 0) addL2(dWeights[l]!, weights[l]!, l2);
    }
  };
}

/** dW += l1 sign(W), from l1 Σ|W|; sign(0) = 0. Biases are not penalized. */
export function addL1(dWeights: Float64Array, weights: Float64Array, l1: number): void {
  for (let i = 0; i < weights.length; i++) dWeights[i]! += l1 * Math.sign(weights[i]!);
}

/** dW += l2 W, from (l2 / 2) ‖W‖² */
export function addL2(dWeights: Float64Array, weights: Float64Array, l2: number): void {
  for (let i = 0; i < weights.length; i++) dWeights[i]! += l2 * weights[i]!;
}
