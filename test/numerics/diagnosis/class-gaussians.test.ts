import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fitClassGaussians, logLikelihood } from '../../../src/numerics/diagnosis/class-gaussians.ts';
import { assertNear } from '../fixtures.ts';

/** Expected values from scripts/fixtures/diagnosis.py. */
const fixture: {
  d: number;
  classes: number;
  rows: number[];
  labels: number[];
  asked: number[][];
  logLikelihoods: number[];
} = JSON.parse(
  readFileSync(new URL('../../fixtures/diagnosis/class-gaussians.json', import.meta.url), 'utf8'),
);

const gaussians = fitClassGaussians(
  Float64Array.from(fixture.rows),
  Uint8Array.from(fixture.labels),
  fixture.d,
  fixture.classes,
);

test("the log density of the most probable class equals SciPy's, for classes with many and with few rows", () => {
  const found = fixture.asked.map((features) => logLikelihood(gaussians, Float64Array.from(features)));
  assertNear(found, fixture.logLikelihoods, 1e-12, 'log-likelihoods');
});

test('a class without rows is ignored, a class with a single row is not', () => {
  assert.equal(gaussians.length, 3);
  const alone = fitClassGaussians(Float64Array.of(0, 0, 0.1, 0, 1, 1), Uint8Array.of(0, 0, 1), 2, 2);
  assert.ok(logLikelihood(alone, Float64Array.of(1, 1)) > logLikelihood(alone, Float64Array.of(0.5, 1)));
});

test('more than 100 classes have the covariance within the classes, so the nearest class by its distance has the density', () => {
  const count = 101;
  // Two rows a class, ± 0.5 beside a mean on a line: W is 0.25 in the first direction, and 0 in the other.
  const rows = Float64Array.from({ length: 4 * count }, (_, i) =>
    i % 2 === 1 ? 3 : 10 * Math.floor(i / 4) + (i % 4 === 0 ? 0.5 : -0.5),
  );
  const labels = Uint16Array.from({ length: 2 * count }, (_, n) => n >> 1);
  const many = fitClassGaussians(rows, labels, 2, count);
  assert.equal(many.length, count);
  const [wide, narrow] = [0.25 + 1e-3, 1e-3];
  const expected = -(2 ** 2 / wide + 0.1 ** 2 / narrow) / 2 - Math.log(wide * narrow) / 2;
  assertNear([logLikelihood(many, Float64Array.of(552, 3.1))], [expected], 1e-9, 'log-likelihood');
});
