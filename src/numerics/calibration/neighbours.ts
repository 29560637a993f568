/** Distance of a vector from the nearest of many others, and from the space in which they lie. */
import type { Pixels } from '../training/engine.ts';
import { principalSubspace } from './principal-subspace.ts';

export interface NeighbourSpace {
  /** d */
  readonly mean: Float32Array;
  /** k × d, orthonormal, in descending order of variance */
  readonly components: Float32Array;
  /** n × k: the coordinates of each vector */
  readonly points: Float32Array;
}

/** The distance is that of the fifth nearest: one or two unusual vectors do not make others like them usual. */
const NEAREST = 5;
/** Largest k. */
const COMPONENTS = 50;
/** Number of vectors that determine the components. */
const MAX_FITTED = 500;
/** Coordinates between two comparisons with the fifth smallest distance. */
const RUN = 10;

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
  const k = subspace.components.length;
  const components = new Float32Array(k * d);
  for (const [c, component] of subspace.components.entries()) components.set(component, c * d);
  const points = new Float32Array(n * k);
  const coordinates = new Float64Array(k);
  const project = createProjection({ mean, components });
  for (let row = 0; row < n; row++) {
    project(coordinates, rows.subarray(row * d, (row + 1) * d));
    points.set(coordinates, row * k);
  }
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
    for (let c = 0, at = 0; c < coordinates.length; c++) {
      let sum = 0;
      for (let i = 0; i < d; i++) sum += components[at++]! * centred[i]!;
      coordinates[c] = sum;
      residual -= sum * sum;
    }
    return Math.max(0, residual);
  };
}

/**
 * The squared distance of a vector (d) to the fifth nearest point in the space of the components, plus the squared residual
 * outside this space: nearly the squared distance to the fifth nearest vector, at k / d of its cost.
 * Sums of most points end early, because the first coordinates vary most (Bei and Gray 1985, partial distance search).
 */
export function createDistance(space: NeighbourSpace): (vector: Pixels) => number {
  const { components, points, mean } = space;
  const k = components.length / mean.length;
  const count = k === 0 ? 0 : points.length / k;
  const project = createProjection(space);
  const coordinates = new Float64Array(k);
  const nearest = new Float64Array(Math.min(NEAREST, count));
  const last = nearest.length - 1;
  return (vector) => {
    const residual = project(coordinates, vector);
    if (count === 0) return residual;
    nearest.fill(Number.POSITIVE_INFINITY);
    for (let n = 0; n < count; n++) {
      let sum = 0;
      for (let start = 0; start < k && sum < nearest[last]!; start += RUN) {
        const end = Math.min(k, start + RUN);
        for (let c = start, at = n * k + start; c < end; c++, at++) {
          const difference = coordinates[c]! - points[at]!;
          sum += difference * difference;
        }
      }
      if (!(sum < nearest[last]!)) continue;
      let at = last;
      for (; at > 0 && nearest[at - 1]! > sum; at--) nearest[at] = nearest[at - 1]!;
      nearest[at] = sum;
    }
    return nearest[last]! + residual;
  };
}
