/** Measured coverage against NumPy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortTrueProbabilities } from '../../../src/numerics/calibration/conformal.ts';
import { measureCoverage } from '../../../src/numerics/calibration/coverage.ts';
import { assertNear } from '../fixtures.ts';
import { readFixture } from './fixtures.ts';

const fixture = readFixture<{
  calibrated: number[];
  calibratedLabels: number[];
  temperature: number;
  logits: number[];
  probabilities: number[];
  labels: number[];
  outliers: boolean[];
  levels: [coverage: number, measured: number, meanSize: number, unsure: number, sureAccuracy: number][];
  errors: [before: number, after: number];
}>('coverage.json');

const calibration = {
  temperature: fixture.temperature,
  trueProbabilities: sortTrueProbabilities(
    Float32Array.from(fixture.calibrated),
    Uint8Array.from(fixture.calibratedLabels),
    4,
  ),
};
const measure = (isOutlier: boolean[], labels = fixture.labels) =>
  measureCoverage(
    calibration,
    Float32Array.from(fixture.logits),
    Float32Array.from(fixture.probabilities),
    () => isOutlier,
    Uint8Array.from(labels),
  );

test('coverage, sizes of sets, unsure and sure predictions equal those of NumPy', () => {
  const { examples, levels, expectedCalibrationError } = measure(fixture.outliers);
  assert.equal(examples, 260);
  assertNear(
    levels.flatMap((level) => [
      level.coverage,
      level.measured,
      level.meanSize,
      level.unsure,
      level.sureAccuracy!,
    ]),
    fixture.levels.flat(),
    1e-12,
    'levels',
  );
  assertNear(
    [expectedCalibrationError.before, expectedCalibrationError.after],
    fixture.errors,
    1e-7,
    'errors',
  );
});

test('the accuracy of the sure predictions is null if none is sure', () => {
  const { levels } = measure(fixture.outliers.map(() => true));
  for (const { unsure, sureAccuracy } of levels) assert.deepEqual([unsure, sureAccuracy], [1, null]);
});
