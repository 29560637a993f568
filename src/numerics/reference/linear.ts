/** One fully connected layer on one example: weights W are outputs × inputs, row-major. */
import type { Parameters } from '../network/layers.ts';
import type { ActiveValues } from './active-values.ts';

/**
 * z = base + W a: the layer itself with base = b, or the effect of a change Δa with base = z and a = Δa.
 * Four rows at a time, so that four independent sums hide each other's latency; each sum still runs over its inputs in
 * ascending order.
 */
export function linear(z: Float64Array, base: Parameters, weights: Parameters, a: ActiveValues): void {
  const { indices, values, count } = a;
  const outputs = z.length;
  const inputs = weights.length / outputs;
  let i = 0;
  for (; i + 4 <= outputs; i += 4) {
    const row0 = i * inputs;
    const row1 = row0 + inputs;
    const row2 = row1 + inputs;
    const row3 = row2 + inputs;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let k = 0; k < count; k++) {
      const j = indices[k]!;
      const value = values[k]!;
      sum0 += weights[row0 + j]! * value;
      sum1 += weights[row1 + j]! * value;
      sum2 += weights[row2 + j]! * value;
      sum3 += weights[row3 + j]! * value;
    }
    z[i] = base[i]! + sum0;
    z[i + 1] = base[i + 1]! + sum1;
    z[i + 2] = base[i + 2]! + sum2;
    z[i + 3] = base[i + 3]! + sum3;
  }
  for (; i < outputs; i++) {
    let sum = 0;
    for (let k = 0; k < count; k++) sum += weights[i * inputs + indices[k]!]! * values[k]!;
    z[i] = base[i]! + sum;
  }
}

/** dW += dz aᵀ (outputs × inputs); db += dz (outputs). */
export function linearBackward(
  dWeights: Float64Array,
  dBiases: Float64Array,
  dz: Float64Array,
  a: ActiveValues,
): void {
  const { indices, values, count } = a;
  const inputs = dWeights.length / dz.length;
  for (let i = 0; i < dz.length; i++) {
    const d = dz[i]!;
    if (d === 0) continue;
    dBiases[i]! += d;
    const row = i * inputs;
    for (let k = 0; k < count; k++) dWeights[row + indices[k]!]! += d * values[k]!;
  }
}

/**
 * dz_{l−1} = (Wᵀ dz_l) ⊙ act'(z_{l−1}) (inputs). It is zero except for the inputs listed in `a`: the derivatives of
 * the others are 0.
 */
export function linearBackwardInput(
  dzBelow: Float64Array,
  weights: Parameters,
  dz: Float64Array,
  a: ActiveValues,
): void {
  const { indices, derivatives, count } = a;
  const inputs = dzBelow.length;
  dzBelow.fill(0);
  for (let i = 0; i < dz.length; i++) {
    const d = dz[i]!;
    if (d === 0) continue;
    const row = i * inputs;
    for (let k = 0; k < count; k++) {
      const j = indices[k]!;
      dzBelow[j]! += weights[row + j]! * d;
    }
  }
  for (let k = 0; k < count; k++) dzBelow[indices[k]!]! *= derivatives[k]!;
}
