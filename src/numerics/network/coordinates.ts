/** Coordinates of the packed vector: random samples, and the layer, unit and input of each. */

import type { Coordinate } from '../checks/perturbed-loss.ts';
import { PURPOSE, randomBelow } from '../random.ts';
import type { Block } from './architecture.ts';

/** All coordinates, or a random sample of the given size. */
export type CoordinateChoice = 'all' | { readonly sample: number };

/**
 * A uniform sample in ascending order, without repetition. Floyd's algorithm (Bentley, "A sample of brilliance",
 * CACM 1987): its memory grows with the sample, not with the vector. A sample larger than the vector is the whole vector.
 * @throws RangeError when the sample is not at least 1.
 */
export function chooseCoordinates(choice: CoordinateChoice, parameters: number, seed: number): Uint32Array {
  const count = choice === 'all' ? parameters : Math.min(choice.sample, parameters);
  if (!(count >= 1)) throw new RangeError(`A sample needs at least one coordinate, not ${count}.`);
  if (count === parameters) return Uint32Array.from({ length: parameters }, (_, i) => i);
  const chosen = new Set<number>();
  for (let limit = parameters - count; limit < parameters; limit++) {
    const candidate = randomBelow(limit + 1, seed, PURPOSE.coordinateSample, 0, limit);
    chosen.add(chosen.has(candidate) ? limit : candidate);
  }
  return Uint32Array.from(chosen).sort();
}

/** The index within its block: [row, column] of a weight, [unit] of a bias. */
export function multiIndex({ shape, start }: Block, coordinate: number): number[] {
  const offset = coordinate - start;
  const columns = shape[1];
  return columns === undefined ? [offset] : [Math.floor(offset / columns), offset % columns];
}

/** `out` ← layer, unit and input of a coordinate in block number `block`. */
export function locate(out: Coordinate, block: number, { shape, start }: Block, coordinate: number): void {
  const offset = coordinate - start;
  const columns = shape[1];
  // Blocks alternate: weights, biases, weights, …
  out.layer = block >> 1;
  out.unit = columns === undefined ? offset : Math.floor(offset / columns);
  out.input = columns === undefined ? null : offset % columns;
}
