import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareGradients } from '../../../src/numerics/checks/comparison.ts';
import { unitOf } from '../../../src/numerics/checks/unit.ts';

/** Compares all coordinates, none of them kinked by default. */
function compare(analytic: number[], numeric: number[], tolerance = 0, noise = 0, kinked: number[] = []) {
  const gradients = {
    analytic: Float64Array.from(analytic),
    numeric: Float64Array.from(numeric),
    kinked: Uint8Array.from(analytic, (_, i) => kinked[i] ?? 0),
  };
  return compareGradients(gradients, 0, analytic.length, tolerance, noise);
}

test('kinked coordinates count for the error only', () => {
  const { error, relativeError, noise, ...rest } = compare(
    [1, 2, 3, 4],
    [1, 5, -1, 10],
    0.5,
    0.25,
    [0, 0, 0, 1],
  );
  assert.deepEqual(rest, {
    ...{ coordinates: 4, kinks: 1, allclose: false, passed: false, noiseDominates: false, worst: 2 },
  });
  // Differences of 0, 3, 4 and 6; the norms are √14 and √27.
  assert.ok(Math.abs(error - Math.sqrt(61)) < 1e-15);
  assert.ok(Math.abs(relativeError - 5 / Math.sqrt(27)) < 1e-15);
  // 4 √3 times the noise of one quotient.
  assert.ok(Math.abs(noise - Math.sqrt(3)) < 1e-15);
  assert.equal(compare([1, 2], [3, 4], 0, 0, [1, 1]).worst, null);
});

test('compares a range of the coordinates', () => {
  const gradients = {
    analytic: Float64Array.of(9, 1, 1, 9),
    numeric: Float64Array.of(0, 1, 4, 0),
    kinked: new Uint8Array(4),
  };
  const { coordinates, error, worst } = compareGradients(gradients, 1, 3, 0, 0);
  assert.deepEqual({ coordinates, error, worst }, { coordinates: 2, error: 3, worst: 2 });
});

test('passes up to the tolerance times the larger norm, plus four times the noise', () => {
  assert.equal(compare([1], [0.5], 0.5).passed, true);
  assert.equal(compare([0.5], [1], 0.5).passed, true);
  assert.equal(compare([1], [0.5], 0.49).passed, false);
  assert.equal(compare([1], [0.5], 0.25, 2 ** -4).passed, true);
  assert.equal(compare([1], [0.5], 0.25, 2 ** -4 - 1e-9).passed, false);
  assert.deepEqual(
    [0.25, 0.26].map((noise) => compare([1], [1], 0.25, noise).noiseDominates),
    [false, true],
  );
});

test('is close as numpy.allclose is, relative to the numeric gradient', () => {
  for (const [analytic, numeric, isClose] of [
    [1e-8, 0, true],
    [1.01e-8, 0, false],
    [1001, 1000, true],
    [1001.001, 1000, false],
    [1000, 1001, true],
    [1000, 1001.01, false],
  ] as const) {
    assert.equal(compare([analytic], [numeric]).allclose, isClose, `${analytic} ${numeric}`);
  }
});

test('zeros agree, and numbers that are not finite do not', () => {
  const { relativeError, passed, worst } = compare([0, 0], [0, 0]);
  assert.deepEqual({ relativeError, passed, worst }, { relativeError: 0, passed: true, worst: 0 });
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const compared = compare([1, value, 9], [1, 1, 1], 1e9);
    assert.deepEqual([compared.passed, compared.allclose, compared.worst], [false, false, 1]);
  }
  assert.equal(compare([9, Number.NaN, Number.POSITIVE_INFINITY, Number.NaN], [1, 1, 1, 1]).worst, 1);
});

test('the squares of large numbers do not overflow', () => {
  const { error, relativeError, passed } = compare([3e200, 4e200], [0, 0], 1);
  assert.ok(Math.abs(error / 5e200 - 1) < 1e-15);
  assert.deepEqual([relativeError, passed], [1, true]);
});

test('the unit is 1 up to 2⁵⁰⁰, and then the power of two below the largest finite number', () => {
  for (const [values, unit] of [
    [[], 1],
    [[1e10, -3], 1],
    [[2 ** 500], 1],
    [[1, -(2 ** 501)], 2 ** 501],
    [[1.75 * 2 ** 600, 2 ** 550], 2 ** 600],
    [[Number.NaN, Number.NEGATIVE_INFINITY, 7], 1],
  ] as const)
    assert.equal(unitOf(Float64Array.from(values)), unit);
});
