/** Expected values of NumPy, SciPy and scikit-learn: scripts/fixtures/calibration.py. */
import { readFileSync } from 'node:fs';

export interface TemperatureFixture {
  readonly logits: number[];
  readonly labels: number[];
  readonly temperature: number;
  readonly before: number;
  readonly after: number;
}

export interface ConformalFixture {
  readonly probabilities: number[];
  readonly labels: number[];
  readonly cases: { readonly images: number; readonly coverage: number; readonly sets: number[] }[];
}

interface ObservedFixture {
  readonly pixels: number[];
  readonly logits: number[];
  readonly hidden: number[];
}

export interface OutlierFixture {
  readonly inputs: number;
  readonly classes: number;
  readonly training: ObservedFixture;
  readonly calibration: ObservedFixture;
  readonly probes: ObservedFixture;
  readonly scores: number[][];
  readonly combined: number[];
  readonly cases: { readonly coverage: number; readonly outliers: boolean[] }[];
}

export function readFixture<T>(name: string): T {
  return JSON.parse(
    readFileSync(new URL(`../../fixtures/calibration/${name}`, import.meta.url), 'utf8'),
  ) as T;
}

export const toObserved = ({ pixels, logits, hidden }: ObservedFixture) => ({
  pixels: Uint8Array.from(pixels),
  logits: Float32Array.from(logits),
  hidden: Float32Array.from(hidden),
});
