/** The path of a training in the plane of its two principal components, and the loss on that plane. */
import { type PrincipalComponents, principalComponents } from './principal-components.ts';

/** A snapshot in the plane. Losses are means over the same examples. */
export interface PathPoint {
  readonly x: number;
  readonly y: number;
  /** Loss of the snapshot itself. */
  readonly loss: number;
  /** Loss of its projection onto the plane. It differs where the path leaves the plane. */
  readonly planeLoss: number;
}

export interface LossSurface {
  readonly x: number[];
  readonly y: number[];
  /** `loss[j][i]` is the loss at (`x[i]`, `y[j]`). */
  readonly loss: number[][];
}

export interface PlanePath {
  /** Fractions of the snapshots' variance along x and y. */
  readonly explainedVariance: readonly number[];
  /** One per snapshot. */
  readonly points: readonly PathPoint[];
  readonly surface: LossSurface;
}

/**
 * The steps of `count` snapshots: round(steps · (i / (count − 1))²), without repetitions. A training moves fastest at its
 * start, where equal distances would leave the plane far from the path.
 */
export function snapshotSteps(steps: number, count: number): number[] {
  const at = Array.from({ length: count }, (_, i) => Math.round(steps * (i / (count - 1)) ** 2));
  return [...new Set(at)];
}

/**
 * @param snapshots packed parameters, in order of time
 * @param options.grid points of the surface in each direction
 * @param options.margin distance of the surface's edge from the path, as a fraction of the path's extent
 * @param measure the loss of packed parameters
 */
export function planePath(
  snapshots: readonly Float32Array[],
  { grid, margin }: { readonly grid: number; readonly margin: number },
  measure: (parameters: Float32Array | Float64Array) => number,
): PlanePath {
  const plane = principalComponents(snapshots, 2);
  const [xs, ys] = [plane.coordinates[0]!, plane.coordinates[1]!];
  const position = new Float64Array(plane.mean.length);
  const measureAt = (x: number, y: number) => measure(projectPoint(plane, x, y, position));
  const points = snapshots.map((snapshot, i) => {
    const [x, y] = [xs[i]!, ys[i]!];
    return { x, y, loss: measure(snapshot), planeLoss: measureAt(x, y) };
  });
  const x = axis(xs, margin, grid, 1);
  // A path along a line has no extent in y.
  const y = axis(ys, margin, grid, x.at(-1)! - x[0]!);
  const loss = y.map((yj) => x.map((xi) => measureAt(xi, yj)));
  return { explainedVariance: plane.explainedVariance, points, surface: { x, y, loss } };
}

function projectPoint(
  { mean, components }: PrincipalComponents,
  x: number,
  y: number,
  out: Float64Array,
): Float64Array {
  const [first, second] = [components[0]!, components[1]!];
  for (let i = 0; i < out.length; i++) out[i] = mean[i]! + x * first[i]! + y * second[i]!;
  return out;
}

/** @param fallback extent of the axis if all coordinates are equal */
function axis(coordinates: Float64Array, margin: number, grid: number, fallback: number): number[] {
  const [low, high] = [Math.min(...coordinates), Math.max(...coordinates)];
  const extent = high - low || fallback;
  const [start, length] = [low - margin * extent, extent * (1 + 2 * margin)];
  return Array.from({ length: grid }, (_, i) => start + (length * i) / (grid - 1));
}
