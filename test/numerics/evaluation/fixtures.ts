/** Expected values from other implementations: scripts/fixtures/evaluation.py. */

import { readFileSync } from 'node:fs';
import { collectPredictions, type Predictions } from '../../../src/numerics/evaluation/predictions.ts';
import { softmax } from '../../../src/numerics/reference/cross-entropy.ts';
import { dense } from '../../support/dense.ts';

interface ReportFixture {
  /** examples × classes */
  readonly logits: number[];
  readonly loss: number;
  readonly accuracy: number;
  readonly interval: [low: number, high: number];
  readonly confusion: number[][];
  /** One row per class: precision, recall, F1, support. */
  readonly classes: number[][];
  readonly macro: number[];
  readonly calibration: {
    error: number;
    bins: [count: number, confidence: number | null, accuracy: number | null][];
  };
  readonly mistakes: number[];
}

export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../fixtures/evaluation/${name}`, import.meta.url), 'utf8')) as T;
}

export const fixture = readFixture<{ classes: number; labels: number[]; reports: ReportFixture[] }>(
  'reports.json',
);

export function predictionsFor(
  logits: readonly number[],
  labels: readonly number[],
  classes: number,
): Predictions {
  const p = new Float64Array(classes);
  let done = 0;
  function forward(z: Float32Array, probabilities: Float32Array): void {
    z.set(logits.slice(done, done + z.length));
    for (let at = 0; at < z.length; at += classes) {
      softmax(p, Float64Array.from(logits.slice(done + at, done + at + classes)));
      probabilities.set(p, at);
    }
    done += z.length;
  }
  const examples = { pixels: new Uint8Array(labels.length), labels: Uint8Array.from(labels) };
  return collectPredictions(forward, examples, dense([1, classes]));
}
