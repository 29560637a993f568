import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortTrueProbabilities } from '../../../src/numerics/calibration/conformal.ts';
import { expectedUnsure, sortHighest } from '../../../src/numerics/calibration/fit.ts';
import { type ConformalFixture, readFixture } from './fixtures.ts';

test("images are expected to be unsure if NumPy's set has not one class, and one of twenty of the others", () => {
  const { cases, ...fixture } = readFixture<ConformalFixture>('conformal.json');
  const labels = Uint8Array.from(fixture.labels);
  for (const { images, coverage, sets } of cases) {
    const probabilities = Float32Array.from(fixture.probabilities).subarray(0, 5 * images);
    const calibration = {
      trueProbabilities: sortTrueProbabilities(probabilities, labels.subarray(0, images), 5),
      ...sortHighest(probabilities, 5),
    };
    const sizes = Array.from({ length: images }, (_, n) =>
      sets.slice(5 * n, 5 * n + 5).reduce((sum, isIn) => sum + isIn, 0),
    );
    const single = sizes.filter((size) => size === 1).length / images;
    const expected = 1 - single * Math.max(coverage, 0.95);
    assert.ok(Math.abs(expectedUnsure(calibration, coverage) - expected) < 1e-12, `coverage ${coverage}`);
  }
});
