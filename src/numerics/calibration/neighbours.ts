/** Distance of a vector from the nearest of many others, and from the space in which they lie. */
import type { Pixels } from '../training/engine.ts';
import { principalSubspace } from './principal-subspace.ts';

export interface NeighbourSpace {
  /** d */
  readonly mean: Float32Array;
  /** k × d, orthonormal, in descending order of variance, then rows of zeros; k is a multiple of GROUP */
  readonly components: Float32Array;
  /** n × k: the coordinates of each vector, in ascending order of the first */
  readonly points: Float32Array;
}

/** Largest k. */
const COMPONENTS = 30;
/** Number of vectors that determine the components. */
const MAX_FITTED = 500;
/** Coordinates that are computed together, because a processor adds independent sums at the same time. */
const GROUP = 5;

/** @param rows n × d, row-major, at least one row */
export function fitNeighbours(rows: Pixels, d: number): NeighbourSpace {
  const n = rows.length / d;
  const fitted = Math.min(n, MAX_FITTED);
  const chosen = Array.from({ length: fitted }, (_, i) => {
    const row = Math.floor((i * n) / fitted);
    return rows.subarray(row * d, (row + 1) * d);
  });
  const subspace = principalSubspace(chosen, Math.min(COMPONENTS, d));
  const mean = Float32Array.from(subspace.mean);
  const k = GROUP * Math.ceil(subspace.components.length / GROUP);
  const components = new Float32Array(k * d);
  for (const [c, component] of subspace.components.entries()) components.set(component, c * d);
  const project = createProjection({ mean, components });
  const coordinates = new Float64Array(k);
  const projected = Array.from({ length: n }, (_, row) => {
    project(coordinates, rows.subarray(row * d, (row + 1) * d));
    return Float32Array.from(coordinates);
  });
  const points = new Float32Array(n * k);
  if (k > 0) projected.sort((a, b) => a[0]! - b[0]!);
  for (const [row, point] of projected.entries()) points.set(point, row * k);
  return { mean, components, points };
}

/** Writes the coordinates (k) of a vector (d), and returns its squared distance from the space of the components. */
function createProjection({ mean, components }: Omit<NeighbourSpace, 'points'>) {
  const d = mean.length;
  const centred = new Float64Array(d);
  return (coordinates: Float64Array, vector: Pixels): number => {
    let residual = 0;
    for (let i = 0; i < d; i++) {
      const value = vector[i]! - mean[i]!;
      centred[i] = value;
      residual += value * value;
    }
    for (let c = 0; c < coordinates.length; c += GROUP) {
      let [sum0, sum1, sum2, sum3, sum4] = [0, 0, 0, 0, 0];
      for (let i = 0, at = c * d; i < d; i++, at++) {
        const value = centred[i]!;
        sum0 += components[at]! * value;
        sum1 += components[at + d]! * value;
        sum2 += components[at + 2 * d]! * value;
        sum3 += components[at + 3 * d]! * value;
        sum4 += components[at + 4 * d]! * value;
      }
      coordinates[c] = sum0;
      coordinates[c + 1] = sum1;
      coordinates[c + 2] = sum2;
      coordinates[c + 3] = sum3;
      coordinates[c + 4] = sum4;
      residual -= sum0 * sum0 + sum1 * sum1 + sum2 * sum2 + sum3 * sum3 + sum4 * sum4;
    }
    return Math.max(0, residual);
  };
}

/**
 * The squared distance of a vector (d) to the nearest point in the space of the components, plus the squared residual outside
 * this space: nearly the squared distance to the nearest vector, at k / d of its cost.
 */
export function createDistance(space: NeighbourSpace): (vector: Pixels) => number {
  const { components, points, mean } = space;
  const project = createProjection(space);
  const coordinates = new Float64Array(components.length / mean.length);
  return (vector) => {
    const residual = project(coordinates, vector);
    return coordinates.length === 0 ? residual : residual + nearestDistance(points, coordinates);
  };
}

/**
 * The squared distance of a vector (k) to the nearest point (n × k).
 * Points are visited in the order of their distance along the first coordinate, which ends the search (Friedman, Baskett, and
 * Shustek 1975), and most sums end early, because the first coordinates vary most (Bei and Gray 1985).
 */
function nearestDistance(points: Float32Array, coordinates: Float64Array): number {
  const k = coordinates.length;
  const first = coordinates[0]!;
  let above = k * countBelow(points, first, k);
  let below = above - k;
  let nearest = Number.POSITIVE_INFINITY;
  for (;;) {
    const up = above < points.length ? points[above]! - first : Number.POSITIVE_INFINITY;
    const down = below >= 0 ? first - points[below]! : Number.POSITIVE_INFINITY;
    const gap = Math.min(up, down);
    // A coordinate that is not a number ends the search, too.
    if (!(gap * gap < nearest)) return nearest;
    let at = below;
    if (up < down) {
      at = above;
      above += k;
    } else below -= k;
    let sum = 0;
    for (let c = 0; c < k && sum < nearest; c += GROUP, at += GROUP) {
      const difference0 = coordinates[c]! - points[at]!;
      const difference1 = coordinates[c + 1]! - points[at + 1]!;
      const difference2 = coordinates[c + 2]! - points[at + 2]!;
      const difference3 = coordinates[c + 3]! - points[at + 3]!;
      const difference4 = coordinates[c + 4]! - points[at + 4]!;
      sum +=
        difference0 * difference0 +
        difference1 * difference1 +
        (difference2 * difference2 + difference3 * difference3 + difference4 * difference4);
    }
    if (sum < nearest) nearest = sum;
  }
}

/** Number of values below `value` among those at every `stride`-th position, which are ascending. */
export function countBelow(sorted: Float32Array, value: number, stride = 1): number {
  let [low, high] = [0, sorted.length / stride];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle * stride]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
