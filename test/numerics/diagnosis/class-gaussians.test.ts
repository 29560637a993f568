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
