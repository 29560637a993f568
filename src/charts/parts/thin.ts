/** Thins out long lines: the smallest and the largest value of each pixel column. */

/** The points of a line as two columns, because an object for each of 10,000 points takes several times as long. */
export interface Columns {
  /** Ascending. */
  readonly x: ArrayLike<number>;
  /** One value for each `x`; a missing value is NaN. */
  readonly y: Float64Array;
}

/** A missing value is a gap. */
export interface Point {
  readonly x: number;
  readonly y: number | null;
}

/** A column of `records`. `Float64Array.from` takes several times as long. */
export function extractColumn<T>(records: readonly T[], value: (record: T) => number): Float64Array {
  const column = new Float64Array(records.length);
  for (let i = 0; i < records.length; i++) column[i] = value(records[i]!);
  return column;
}

/** Lines up to this length are drawn as they are. */
export const MAX_POINTS = 1000;

/**
 * @param toColumn pixel column of an x
 * @returns in order; the last point is kept. A column is a gap only if all its values are missing.
 */
export function thinOut({ x, y }: Columns, toColumn: (x: number) => number): Point[] {
  const point = (i: number): Point => ({ x: x[i]!, y: Number.isNaN(y[i]!) ? null : y[i]! });
  if (y.length <= MAX_POINTS) return Array.from(y, (_, i) => point(i));
  const kept: number[] = [];
  for (let start = 0; start < y.length; ) {
    const column = Math.round(toColumn(x[start]!));
    let [low, high] = [start, start];
    let end = start;
    for (; end < y.length && Math.round(toColumn(x[end]!)) === column; end++) {
      const value = y[end]!;
      if (Number.isNaN(value)) continue;
      if (!(value >= y[low]!)) low = end;
      if (!(value <= y[high]!)) high = end;
    }
    kept.push(Math.min(low, high));
    if (low !== high) kept.push(Math.max(low, high));
    start = end;
  }
  if (kept.at(-1) !== y.length - 1) kept.push(y.length - 1);
  return kept.map(point);
}
