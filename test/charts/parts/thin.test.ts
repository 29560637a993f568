import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extractColumn, thinOut } from '../../../src/charts/parts/thin.ts';

/** Indices of the points that are kept of 1,002 points in two columns of 501. */
const kept = (y: (i: number) => number) =>
  thinOut(
    { x: Array.from({ length: 1002 }, (_, i) => i), y: Float64Array.from({ length: 1002 }, (_, i) => y(i)) },
    (x) => Math.floor(x / 501),
  ).map(({ x }) => x);

test('the first of equal points of a column is kept, and the last point of the line', () => {
  assert.deepEqual(
    kept(() => 5),
    [0, 501, 1001],
  );
  assert.deepEqual(
    kept((i) => (i % 10 === 3 ? 1 : i % 10 === 7 ? 9 : 5)),
    [3, 7, 503, 507, 1001],
  );
});

test('the smallest and the largest value of a column are kept, in order', () => {
  assert.deepEqual(
    kept((i) => i),
    [0, 500, 501, 1001],
  );
  assert.deepEqual(
    kept((i) => -i),
    [0, 500, 501, 1001],
  );
  assert.deepEqual(
    kept((i) => (i === 40 ? -1 : i === 20 ? 1 : 0)),
    [20, 40, 501, 1001],
  );
});

test('a column is a gap only if all of its values are missing', () => {
  assert.deepEqual(
    kept((i) => (i === 20 ? 3 : Number.NaN)),
    [20, 501, 1001],
  );
  assert.deepEqual(
    kept((i) => (i < 501 ? Number.NaN : 1)),
    [0, 501, 1001],
  );
});

test('a short line is kept whole, with gaps for missing values', () => {
  assert.deepEqual(
    thinOut({ x: [1, 2], y: Float64Array.of(3, Number.NaN) }, () => 0),
    [
      { x: 1, y: 3 },
      { x: 2, y: null },
    ],
  );
  assert.deepEqual(
    extractColumn([{ a: 1 }, { a: 2 }], ({ a }) => 2 * a),
    Float64Array.of(2, 4),
  );
});
