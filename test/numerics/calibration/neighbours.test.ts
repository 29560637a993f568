import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countBelow, createDistance, fitNeighbours } from '../../../src/numerics/calibration/neighbours.ts';
import { PURPOSE, randomBits } from '../../../src/numerics/random.ts';

const vectors = (count: number, d: number, from: number) =>
  Array.from({ length: count }, (_, n) =>
    Uint8Array.from({ length: d }, (__, i) => randomBits(1, PURPOSE.coordinateSample, from + n, i) & 255),
  );

test('with as many components as values, the distance is that of the nearest vector', () => {
  // More vectors than determine the components, and seven components in two groups of five.
  const d = 7;
  const rows = vectors(600, d, 0);
  const space = fitNeighbours(Uint8Array.from(rows.flatMap((row) => [...row])), d);
  assert.deepEqual([space.mean.length, space.components.length, space.points.length], [d, 10 * d, 600 * 10]);
  const first = Array.from({ length: 600 }, (_, n) => space.points[10 * n]!);
  assert.deepEqual(
    first,
    first.toSorted((a, b) => a - b),
  );
  // Of six vectors in succession, the first five determine them.
  const fitted = rows.filter((_, n) => n % 6 !== 5);
  for (const [i, mean] of space.mean.entries()) {
    const expected = fitted.reduce((sum, row) => sum + row[i]!, 0) / 500;
    assert.ok(Math.abs(mean - expected) < 1e-4, `${mean} ${expected}`);
  }
  const distance = createDistance(space);
  for (const probe of [...vectors(50, d, 1000), new Uint8Array(d), new Uint8Array(d).fill(255)]) {
    const nearest = Math.min(
      ...rows.map((row) => row.reduce((sum, value, i) => sum + (value - probe[i]!) ** 2, 0)),
    );
    assert.ok(Math.abs(distance(probe) - nearest) < 1e-4 * (1 + nearest), `${distance(probe)} ${nearest}`);
  }
  for (const row of rows.slice(0, 5)) assert.ok(distance(row) < 1e-3);
});

test('the distance from the space of the components is added', () => {
  // All vectors lie on a line, so one component describes them.
  const rows = Uint8Array.of(0, 0, 9, 10, 0, 9, 20, 0, 9, 40, 0, 9);
  const distance = createDistance(fitNeighbours(rows, 3));
  for (const [probe, expected] of [
    [[10, 0, 9], 0],
    [[24, 0, 9], 16],
    [[20, 3, 9], 9],
    [[33, 2, 6], 49 + 4 + 9],
    [[60, 0, 9], 400],
  ] as const)
    assert.ok(Math.abs(distance(Uint8Array.from(probe)) - expected) < 1e-3, `${probe}`);
});

test('without a component, because all vectors are equal, the distance is that of their mean', () => {
  const distance = createDistance(fitNeighbours(Uint8Array.of(1, 2, 3, 1, 2, 3), 3));
  assert.deepEqual(
    [
      [1, 2, 3],
      [1, 5, 7],
    ].map((probe) => distance(Uint8Array.from(probe))),
    [0, 25],
  );
});

test('counts the values below another one', () => {
  const sorted = Float32Array.of(1, 2, 2, 3);
  assert.deepEqual(
    [0, 1, 1.5, 2, 2.5, 3, 4].map((value) => countBelow(sorted, value)),
    [0, 0, 1, 1, 3, 3, 4],
  );
  assert.equal(countBelow(Float32Array.of(1, 9, 2, 0, 3, 5), 2.5, 2), 2);
  assert.equal(countBelow(new Float32Array(0), 1), 0);
});

test('at most thirty directions are kept, in groups of five', () => {
  for (const [d, kept] of [
    [36, 30],
    [31, 30],
    [26, 30],
    [25, 25],
  ] as const) {
    const rows = Uint8Array.from(vectors(40, d, 0).flatMap((row) => [...row]));
    const { components, points } = fitNeighbours(rows, d);
    assert.deepEqual([components.length, points.length], [kept * d, 40 * kept]);
  }
});
