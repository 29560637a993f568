/** Coordinates of the packed vector: which to look at, and what each of them is. */
import type { Block } from './network.ts';
import type { Coordinate } from './perturbed-loss.ts';
import { PURPOSE, randomBelow } from './random.ts';

/** Every coordinate, or so many of them chosen by the seed. */
export type CoordinateChoice = 'all' | { readonly sample: number };

/**
 * Ascending, without repetition, every subset of that size as likely as any other: Floyd's algorithm (Bentley,
 * "A sample of brilliance", CACM 1987), whose memory grows with the sample and not with the vector. A sample
 * larger than the vector is the whole vector.
 * @throws RangeError when the sample is not at least 1.
 */
export function chooseCoordinates(choice: CoordinateChoice, parameters: number, seed: number): Uint32Array {
  const count = choice === 'all' ? parameters : Math.min(choice.sample, parameters);
  if (!(count >= 1)) throw new RangeError(`a sample has at least one coordinate, not ${count}`);
  if (count === parameters) return Uint32Array.from({ length: parameters }, (_, i) => i);
  const chosen = new Set<number>();
  for (let limit = parameters - count; limit < parameters; limit++) {
    const candidate = randomBelow(limit + 1, seed, PURPOSE.coordinateSample, 0, limit);
    chosen.add(chosen.has(candidate) ? limit : candidate);
  }
  return Uint32Array.from(chosen).sort();
}

/** [row, column] of a weight, [unit] of a bias. */
export function multiIndex({ shape, start }: Block, coordinate: number): number[] {
  const offset = coordinate - start;
  const columns = shape[1];
  return columns === undefined ? [offset] : [Math.floor(offset / columns), offset % columns];
}

/** `out` ← what the coordinate is, given that it lies in block number `block`. */
export function locate(out: Coordinate, block: number, { shape, start }: Block, coordinate: number): void {
  const offset = coordinate - start;
  const columns = shape[1];
  // Blocks alternate: weights, biases, weights, …
  out.layer = block >> 1;
  out.unit = columns === undefined ? offset : Math.floor(offset / columns);
  out.input = columns === undefined ? null : offset % columns;
}
