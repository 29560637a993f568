import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  conformalRank,
  leastProbability,
  sortTrueProbabilities,
} from '../../../src/numerics/calibration/conformal.ts';
import { type ConformalFixture, readFixture } from './fixtures.ts';

const { cases, ...fixture } = readFixture<ConformalFixture>('conformal.json');
const probabilities = Float32Array.from(fixture.probabilities);
const labels = Uint8Array.from(fixture.labels);

test("the sets of classes equal those of NumPy's quantile", () => {
  for (const { images, coverage, sets } of cases) {
    const sorted = sortTrueProbabilities(probabilities, labels.subarray(0, images), 5);
    const least = leastProbability(sorted, coverage);
    const found = Array.from(probabilities, (probability) => (probability >= least ? 1 : 0));
    assert.deepEqual(found, sets, `${images} images, coverage ${coverage}`);
  }
});

test('every set holds all classes if there are too few images for the coverage', () => {
  const sorted = Float32Array.of(0.9, 0.8, 0.7);
  assert.equal(leastProbability(sorted, 0.75), Math.fround(0.7));
  assert.equal(leastProbability(sorted, 0.76), 0);
});

test('a rank is not raised by a rounding error', () => {
  assert.equal(conformalRank(99, 0.07), 7);
  assert.equal(conformalRank(99, 0.0701), 8);
});
