/** Coordinates of the packed vector: random samples, and the index of each in its block. */

import { PURPOSE, randomBelow } from '../random.ts';
import { type Architecture, type Block, blocks, parameterCount } from './architecture.ts';

/** All coordinates, or a random sample of the given size. */
export type CoordinateChoice = 'all' | { readonly sample: number };

/** Number of chosen coordinates. A sample larger than the vector is the whole vector. */
export function coordinateCount(choice: CoordinateChoice, architecture: Architecture): number {
  const length = parameterCount(architecture);
  return choice === 'all' ? length : Math.min(choice.sample, length);
}

/**
 * The sizes of the samples of blocks of the given sizes: as equal as possible, since the kernels of a network with convolutions
 * are few beside the weights of its fully connected layers. A sample larger than all blocks is all blocks.
 */
function blockSamples(sizes: readonly number[], sample: number): number[] {
  const counts = sizes.slice();
  const ascending = [...sizes.keys()].sort((a, b) => sizes[a]! - sizes[b]!);
  let rest = sample;
  for (const [i, block] of ascending.entries()) {
    counts[block] = Math.min(sizes[block]!, Math.floor(rest / (ascending.length - i)));
    rest -= counts[block]!;
  }
  return counts;
}

/** For each block, the number of sampled coordinates; in a network without convolutions their expected number. */
export function sampledCounts(choice: CoordinateChoice, architecture: Architecture): number[] {
  const sizes = blocks(architecture).map(({ start, end }) => end - start);
  const sample = coordinateCount(choice, architecture);
  if (architecture.convolutions.length > 0) return blockSamples(sizes, sample);
  return sizes.map((size) => size * (sample / parameterCount(architecture)));
}

/**
 * A sample in ascending order, without repetition; uniform, or with convolutions uniform in each block. Floyd's algorithm
 * (Bentley, "A sample of brilliance", CACM 1987): its memory grows with the sample, not with the vector.
 * @throws RangeError when the sample is not at least 1.
 */
export function chooseCoordinates(
  choice: CoordinateChoice,
  architecture: Architecture,
  seed: number,
): Uint32Array {
  if (choice !== 'all' && !(choice.sample >= 1)) {
    throw new RangeError(`A sample needs at least one coordinate, not ${choice.sample}.`);
  }
  const length = parameterCount(architecture);
  const sample = coordinateCount(choice, architecture);
  const isConvolutional = architecture.convolutions.length > 0;
  const ranges = isConvolutional ? blocks(architecture) : [{ start: 0, end: length }];
  const counts = isConvolutional ? sampledCounts(choice, architecture) : [sample];
  const positions = new Uint32Array(sample);
  let filled = 0;
  for (const [r, { start, end }] of ranges.entries()) {
    const part = positions.subarray(filled, filled + counts[r]!);
    filled += part.length;
    if (part.length === end - start) {
      for (let i = 0; i < part.length; i++) part[i] = start + i;
      continue;
    }
    const chosen = new Set<number>();
    for (let limit = end - part.length; limit < end; limit++) {
      const candidate = start + randomBelow(limit - start + 1, seed, PURPOSE.coordinateSample, 0, limit);
      chosen.add(chosen.has(candidate) ? limit : candidate);
    }
    part.set([...chosen]);
    part.sort();
  }
  return positions;
}

/** The index within its block, with one number for each dimension: [row, column] of a weight, [unit] of a bias. */
export function multiIndex({ shape, start }: Block, coordinate: number): number[] {
  let rest = coordinate - start;
  const index = shape.map(() => 0);
  for (let d = shape.length - 1; d >= 0; d--) {
    index[d] = rest % shape[d]!;
    rest = Math.floor(rest / shape[d]!);
  }
  return index;
}
