/**
 * Standardization of the pixels, folded into the first layer.
 * The standardized pixels s = (a0 − μ) / σ are never computed, to preserve the zeros of a0: with a0 / σ as the
 * input, W s + b = W (a0 / σ) + (b − (μ/σ) W·1).
 */
import type { Layer, Parameters, Standardization } from '../network/layers.ts';

/** Divisor that turns a pixel into an input of the first layer: 255, or 255 σ with standardization. */
export function pixelScale(standardization: Standardization | null): number {
  return 255 * (standardization?.std ?? 1);
}

/** out_i = b_i − (μ/σ) Σ_j W_ij (outputs): the biases of the first layer with the mean folded in. */
export function foldBiases(
  out: Float64Array,
  { weights, biases, inputs }: Layer<Parameters>,
  { mean, std }: Standardization,
): void {
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let j = i * inputs; j < (i + 1) * inputs; j++) sum += weights[j]!;
    out[i] = biases[i]! - (mean / std) * sum;
  }
}

/**
 * dW_ij = Σ_n dz_ni s_nj = Σ_n dz_ni a0_nj / σ − (μ/σ) Σ_n dz_ni. The first sum is already in dW, the last
 * one is db_i.
 */
export function foldBiasesBackward(
  { weights: dWeights, biases: dBiases, inputs }: Layer<Float64Array>,
  { mean, std }: Standardization,
): void {
  for (let i = 0; i < dBiases.length; i++) {
    const shift = (mean / std) * dBiases[i]!;
    for (let j = i * inputs; j < (i + 1) * inputs; j++) dWeights[j]! -= shift;
  }
}
