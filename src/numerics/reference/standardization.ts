/**
 * Standardization of the pixels, folded into the first layer.
 * The standardized pixels s = (a0 − μ) / σ are never computed, to preserve the zeros of a0: with a0 / σ as the
 * input, W s + b = W (a0 / σ) + (b − Σ_c (μ_c/σ_c) Σ_j∈c W_j), the sum being over the channels c and their values j.
 */
import { channelStandardizations, type Parameters, type Standardization } from '../network/layers.ts';

/** Divisors that turn a pixel into an input of the first layer, by channel: 255, or 255 σ with standardization. */
export function pixelScales(standardization: Standardization | null): Float64Array {
  return Float64Array.from(channelStandardizations(standardization), ({ std }) => 255 * std);
}

/** out_i = b_i − Σ_c (μ_c/σ_c) Σ_j∈c W_ij (outputs): the biases of the first layer with the means folded in. */
export function foldBiases(
  out: Float64Array,
  weights: Parameters,
  biases: Parameters,
  standardization: Standardization,
): void {
  const channels = channelStandardizations(standardization);
  const inputs = weights.length / biases.length;
  for (let i = 0; i < out.length; i++) {
    out[i] = biases[i]!;
    for (const [c, { mean, std }] of channels.entries()) {
      let sum = 0;
      for (let j = i * inputs + c; j < (i + 1) * inputs; j += channels.length) sum += weights[j]!;
      out[i]! -= (mean / std) * sum;
    }
  }
}

/**
 * dW_ij = Σ_n dz_ni s_nj = Σ_n dz_ni a0_nj / σ − (μ/σ) Σ_n dz_ni. The first sum is already in dW, the last
 * one is db_i.
 */
export function foldBiasesBackward(
  dWeights: Float64Array,
  dBiases: Float64Array,
  standardization: Standardization,
): void {
  const channels = channelStandardizations(standardization);
  const inputs = dWeights.length / dBiases.length;
  for (let i = 0; i < dBiases.length; i++) {
    for (const [c, { mean, std }] of channels.entries()) {
      const shift = (mean / std) * dBiases[i]!;
      for (let j = i * inputs + c; j < (i + 1) * inputs; j += channels.length) dWeights[j]! -= shift;
    }
  }
}
