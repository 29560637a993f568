import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addTallies,
  TOP_PROBABILITY_BOUNDS,
  tallyDiagnoses,
  tallyPredictions,
} from '../../src/protocols/prediction-tally.ts';

/** Rows of three classes whose greatest probability is the given one, in each class in turn. */
function rows(greatest: readonly number[]): Float32Array {
  return Float32Array.from(greatest.flatMap((p, n) => [0, 1, 2].map((k) => (k === n % 3 ? p : 0))));
}

test('a bucket holds probabilities up to its bound, and the last bucket all others', () => {
  const bounds = [...TOP_PROBABILITY_BOUNDS];
  assert.deepEqual(bounds, [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999]);
  const next = (bound: number) => bound + 1e-6;
  const { buckets, classes, probabilitySum } = tallyPredictions(rows([0.1, ...bounds.map(next)]), 3);
  assert.deepEqual(buckets, [1, ...bounds.map(() => 1)]);
  assert.deepEqual(classes, [3, 3, 3]);
  const sum = bounds.reduce((total, bound) => total + next(bound), 0.1);
  assert.ok(Math.abs(probabilitySum - sum) < 1e-5);
  // 0.5 is the only bound that float32 represents exactly.
  assert.deepEqual(tallyPredictions(rows([0.5]), 3).buckets.indexOf(1), bounds.indexOf(0.5));
});

test('the first of equal probabilities counts, and undefined ones do not', () => {
  assert.deepEqual(tallyPredictions(new Float32Array([0.2, 0.4, 0.4]), 3).classes, [0, 1, 0]);
  const { classes, buckets } = tallyPredictions(new Float32Array(3).fill(Number.NaN), 3);
  assert.deepEqual(
    [...classes, ...buckets].filter((count) => count > 0),
    [],
  );
});

test('the tallies of blocks add up to the tally of all images', () => {
  const all = rows([0.35, 0.4, 0.6, 0.75, 0.9999, 0.5, 0.25]);
  const whole = tallyPredictions(all, 3);
  for (const ends of [[21], [3, 21], [6, 15, 21]]) {
    const blocks = ends.map((end, n) => tallyPredictions(all.subarray(ends[n - 1] ?? 0, end), 3));
    const { probabilitySum, ...counts } = addTallies(blocks);
    assert.deepEqual({ ...counts, probabilitySum: whole.probabilitySum }, whole);
    assert.ok(Math.abs(probabilitySum - whole.probabilitySum) < 1e-12);
  }
});

test('findings are counted by their codes, and images with and without them', () => {
  const diagnose = (...codes: readonly ('blank' | 'inverted')[]) => ({
    findings: codes.map((code) => ({ code, detail: '', advice: '' })),
    corrected: [],
  });
  const diagnoses = [diagnose('blank'), diagnose(), diagnose('inverted', 'blank'), diagnose('blank')];
  const tally = { images: 4, findings: { blank: 3, inverted: 1 } };
  assert.deepEqual(tallyDiagnoses(diagnoses), tally);
  assert.deepEqual(tallyPredictions(rows([0.5, 0.5, 0.5, 0.5]), 3, diagnoses).diagnosed, tally);
  assert.equal(tallyPredictions(rows([0.5]), 3).diagnosed, null);
});
