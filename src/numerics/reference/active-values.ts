/**
 * A layer's input as the list of its non-zeros. Half of all pixels and half of all ReLU outputs are zero: they
 * add nothing to a sum and receive no gradient, so the reference never visits them.
 */
import type { Pixels } from '../engine.ts';

export interface ActiveValues {
  /** Positions of the non-zeros, ascending; the first `count` hold. */
  readonly indices: Int32Array;
  readonly values: Float64Array;
  count: number;
}

export function createActiveValues(size: number): ActiveValues {
  return { indices: new Int32Array(size), values: new Float64Array(size), count: 0 };
}

/** a0 = x / 255 of the d0 pixels from `offset` on. */
export function activatePixels(a: ActiveValues, pixels: Pixels, offset: number): void {
  const { indices, values } = a;
  let count = 0;
  for (let j = 0; j < indices.length; j++) {
    const x = pixels[offset + j]!;
    if (x !== 0) {
      indices[count] = j;
      values[count++] = x / 255;
    }
  }
  a.count = count;
}

/** a = max(z, 0). The active units are also exactly those where relu'(z) = 1; relu'(0) is 0. */
export function activateRelu(a: ActiveValues, z: Float64Array): void {
  const { indices, values } = a;
  let count = 0;
  for (let j = 0; j < z.length; j++) {
    const value = z[j]!;
    // Not `value > 0`: that would turn NaN into 0 and let a diverged network look healthy.
    if (!(value <= 0)) {
      indices[count] = j;
      values[count++] = value;
    }
  }
  a.count = count;
}
