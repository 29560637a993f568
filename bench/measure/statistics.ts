/** Quantiles and formatting of measured values. */
import { median } from '../machine.ts';

/** The value that a fraction q of all values does not exceed. */
export function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)]!;
}

/** 1234567 → "1,234,567"; below a hundred, three significant digits. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** Cells "median" and "smallest – largest". */
export function spread(values: readonly number[]): [string, string] {
  return [readable(median(values)), `${readable(Math.min(...values))} – ${readable(Math.max(...values))}`];
}
