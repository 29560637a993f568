/** Softmax and cross-entropy of one example's logits z (classes), without overflow. */
import type { Parameters } from '../network/layers.ts';

/** Index of the largest value, the first one if several are equal, as in NumPy. */
export function argmax(z: Parameters): number {
  let best = 0;
  for (let i = 1; i < z.length; i++) if (z[i]! > z[best]!) best = i;
  return best;
}

/** Σ exp(z_i − shift). With the largest logit as the shift, no term overflows and one term is 1. */
function sumOfExponentials(z: Float64Array, shift: number): number {
  let sum = 0;
  for (let i = 0; i < z.length; i++) sum += Math.exp(z[i]! - shift);
  return sum;
}

/** logsumexp(z) − z_label, in nats. Not log(softmax): that is log 0 for a confident mistake. */
export function crossEntropy(z: Float64Array, label: number): number {
  const max = z[argmax(z)]!;
  return Math.log(sumOfExponentials(z, max)) + (max - z[label]!);
}

/** p_i = exp(z_i) / Σ exp(z_k). `p` may be `z` itself. */
export function softmax(p: Float64Array, z: Float64Array): void {
  const max = z[argmax(z)]!;
  const sum = sumOfExponentials(z, max);
  for (let i = 0; i < z.length; i++) p[i] = Math.exp(z[i]! - max) / sum;
}

/** q = (1 − ε) onehot(label) + ε / K. `smoothing` is ε. */
export function labelTarget(q: Float64Array, label: number, smoothing: number): void {
  q.fill(smoothing / q.length);
  q[label]! += 1 - smoothing;
}

/** dz = weight (softmax(z) − q): this example's part of the objective's gradient. `weight` is c_label / N. */
export function crossEntropyBackward(
  dz: Float64Array,
  z: Float64Array,
  q: Float64Array,
  weight: number,
): void {
  softmax(dz, z);
  for (let i = 0; i < dz.length; i++) dz[i] = (dz[i]! - q[i]!) * weight;
}
