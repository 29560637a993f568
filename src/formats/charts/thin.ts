/** Thins out long lines: the smallest and the largest value of each pixel column. */

/** A missing value is a gap. */
export interface Point {
  readonly x: number;
  readonly y: number | null;
}

/** Lines up to this length are drawn as they are. */
export const MAX_POINTS = 1000;

/**
 * @param points ascending in x
 * @param toColumn pixel column of an x
 * @returns in order; the last point is kept. A column is a gap only if all its values are missing.
 */
export function thinOut(points: readonly Point[], toColumn: (x: number) => number): readonly Point[] {
  if (points.length <= MAX_POINTS) return points;
  const kept: Point[] = [];
  for (let start = 0; start < points.length; ) {
    const column = Math.round(toColumn(points[start]!.x));
    let [low, high] = [start, start];
    let end = start;
    for (; end < points.length && Math.round(toColumn(points[end]!.x)) === column; end++) {
      const { y } = points[end]!;
      if (y === null) continue;
      if (points[low]!.y === null || y < points[low]!.y!) low = end;
      if (points[high]!.y === null || y > points[high]!.y!) high = end;
    }
    kept.push(points[Math.min(low, high)]!);
    if (low !== high) kept.push(points[Math.max(low, high)]!);
    start = end;
  }
  const last = points.at(-1)!;
  if (kept.at(-1) !== last) kept.push(last);
  return kept;
}
