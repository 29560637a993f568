/**
 * A layer's input as a list of its non-zero values. About half of all pixels and ReLU outputs are zero: they add
 * nothing to sums and receive no gradient, so the reference skips them.
 */

import type { ActivationFunction } from '../network/activations.ts';
import type { Pixels } from '../training/engine.ts';

export interface ActiveValues {
  /** Positions, ascending; the first `count` are valid. All other values and derivatives are 0. */
  readonly indices: Int32Array;
  readonly values: Float64Array;
  /** ∂value/∂z of a hidden layer's units; unused for pixels. */
  readonly derivatives: Float64Array;
  count: number;
}

export function createActiveValues(size: number): ActiveValues {
  return {
    indices: new Int32Array(size),
    values: new Float64Array(size),
    derivatives: new Float64Array(size),
    count: 0,
  };
}

/** a0 = x / scale of its channel, for the d0 pixels from `offset` on. */
export function activatePixels(a: ActiveValues, pixels: Pixels, offset: number, scales: Float64Array): void {
  const { indices, values } = a;
  let count = 0;
  for (let j = 0, c = 0; j < indices.length; j++, c = c + 1 === scales.length ? 0 : c + 1) {
    const x = pixels[offset + j]!;
    if (x !== 0) {
      indices[count] = j;
      values[count++] = x / scales[c]!;
    }
  }
  a.count = count;
}

/** a = act(z), and act'(z), of the units whose value or derivative is not 0. */
export function activate(a: ActiveValues, z: Float64Array, act: ActivationFunction): void {
  const { indices, values, derivatives } = a;
  let count = 0;
  for (let j = 0; j < z.length; j++) {
    const value = act.value(z[j]!);
    const derivative = act.derivative(z[j]!, value);
    if (value !== 0 || derivative !== 0) {
      indices[count] = j;
      values[count] = value;
      derivatives[count++] = derivative;
    }
  }
  a.count = count;
}

/**
 * Inverted dropout, with m_j = 1 if unit j is kept, else 0: a_j ← a_j m_j / (1 − p), and its derivative likewise. This
 * preserves the expected value. `scale` is 1 / (1 − p).
 */
export function dropOut(a: ActiveValues, kept: Uint8Array, scale: number): void {
  const { indices, values, derivatives } = a;
  let count = 0;
  for (let k = 0; k < a.count; k++) {
    const j = indices[k]!;
    if (kept[j] === 0) continue;
    indices[count] = j;
    values[count] = values[k]! * scale;
    derivatives[count++] = derivatives[k]! * scale;
  }
  a.count = count;
}
