import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  combine,
  dot,
  gramMatrix,
  meanVector,
  principalComponents,
} from '../../../src/numerics/sgd-path/principal-components.ts';
import { assertNear } from '../fixtures.ts';

/** Vectors of 5,000 numbers around 1, with differences at three positions in three blocks of the computation. */
const PLACES = [2047, 2048, 4999] as const;
const vectorOf = (...differences: readonly number[]) => {
  const vector = new Float32Array(5000).fill(1);
  for (const [i, difference] of differences.entries()) vector[PLACES[i]!]! += difference;
  return vector;
};
const unitAt = (place: number, value = 1) => new Float64Array(5000).with(place, value);

test('components are the directions of the largest variances, with a positive largest coordinate', () => {
  const vectors = [vectorOf(0, -2), vectorOf(0, 2), vectorOf(1), vectorOf(-1)];
  const { mean, components, coordinates, explainedVariance } = principalComponents(vectors, 3);
  assertNear(mean, new Float64Array(5000).fill(1), 1e-15, 'mean');
  assertNear(components[0]!, unitAt(2048), 1e-12, 'first');
  assertNear(components[1]!, unitAt(2047), 1e-12, 'second');
  assertNear(coordinates[0]!, [-2, 2, 0, 0], 1e-12, 'first coordinates');
  assertNear(coordinates[1]!, [0, 0, 1, -1], 1e-12, 'second coordinates');
  assertNear(explainedVariance, [0.8, 0.2, 0], 1e-12, 'variances');
  assert.deepEqual([components[2], coordinates[2]], [new Float64Array(5000), new Float64Array(4)]);
});

test('a direction between the axes is normalized, and the sum of all fractions is 1', () => {
  const vectors = [vectorOf(3, 0, -4), vectorOf(-3, 0, 4), vectorOf(0, 1, 0), vectorOf(0, -1, 0)];
  const { components, explainedVariance, coordinates } = principalComponents(vectors, 2);
  // −4 is the largest coordinate, so the sign changes.
  assertNear(components[0]!, unitAt(2047, -0.6).with(4999, 0.8), 1e-12, 'first');
  assertNear(coordinates[0]!, [-5, 5, 0, 0], 1e-12, 'coordinates');
  assertNear(explainedVariance, [50 / 52, 2 / 52], 1e-12, 'variances');
});

test('equal vectors have no components', () => {
  const { components, explainedVariance } = principalComponents([vectorOf(1), vectorOf(1)], 1);
  assert.deepEqual([explainedVariance, components[0]], [[0], new Float64Array(5000)]);
});

test('means, inner products and sums are those of the centred vectors', () => {
  const vectors = [Uint8Array.of(1, 4), Uint8Array.of(3, 0)];
  const mean = meanVector(vectors);
  assert.deepEqual(mean, Float64Array.of(2, 2));
  assert.deepEqual(gramMatrix(vectors, mean), Float64Array.of(5, -5, -5, 5));
  assert.deepEqual(combine(vectors, mean, Float64Array.of(2, 0.5)), Float64Array.of(-1.5, 3));
  assert.equal(dot(Float64Array.of(1, 2, 9), Float64Array.of(3, 4, 9), 2), 11);
});

test('of two coordinates of the same size, the first one is positive', () => {
  const vectors = [Float32Array.of(-3, 3, 1), Float32Array.of(3, -3, 1)];
  const { components, coordinates } = principalComponents(vectors, 1);
  assertNear(components[0]!, [Math.SQRT1_2, -Math.SQRT1_2, 0], 1e-12, 'component');
  assertNear(coordinates[0]!, [-3 * Math.SQRT2, 3 * Math.SQRT2], 1e-12, 'coordinates');
});
