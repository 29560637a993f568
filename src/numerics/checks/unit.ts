/** Units for sums of squares, which overflow for values above about 1e154. */

const LARGE = 2 ** 500;

/**
 * A power of two: of values in this unit, the squares and their sum are finite. 1 unless a value is large; values that are not
 * finite do not count.
 */
export function unitOf(values: Float32Array | Float64Array): number {
  let largest = 1;
  for (const value of values) {
    const size = Math.abs(value);
    if (size > largest && size < Infinity) largest = size;
  }
  return largest > LARGE ? 2 ** Math.floor(Math.log2(largest)) : 1;
}
