import assert from 'node:assert/strict';
import { test } from 'node:test';
import { principalSubspace } from '../../../src/numerics/calibration/principal-subspace.ts';
import { PURPOSE, randomUniform } from '../../../src/numerics/random.ts';
import { principalComponents } from '../../../src/numerics/sgd-path/principal-components.ts';
import { assertNear } from '../fixtures.ts';

test('finds the components that power iteration finds, one at a time', () => {
  // Forty vectors of 25 numbers, each of which varies less than the one before it; their sums are correlated.
  const vectors = Array.from({ length: 40 }, (_, n) => {
    const parts = Array.from(
      { length: 25 },
      (__, i) => randomUniform(1, PURPOSE.coordinateSample, n, i) * 0.8 ** i,
    );
    return Float32Array.from(parts, (part, i) => part + 0.5 * parts[(i + 1) % 25]! + 3);
  });
  const expected = principalComponents(vectors, 4);
  const { mean, components } = principalSubspace(vectors, 4);
  assertNear(mean, expected.mean, 1e-12, 'mean');
  assert.equal(components.length, 4);
  for (const [k, component] of components.entries()) {
    const sign = Math.sign(component[0]! * expected.components[k]![0]!);
    assertNear(
      component.map((value) => sign * value),
      expected.components[k]!,
      1e-6,
      `component ${k}`,
    );
  }
});

test('leaves out components without variance', () => {
  const [mean, a, b] = [
    [5, 5, 5, 5],
    [3, 4, 0, 0],
    [0, 0, 0, 2],
  ];
  const at = (x: number, y: number) => Float32Array.from(mean, (value, i) => value + x * a[i]! + y * b[i]!);
  const found = principalSubspace([at(1, 0), at(-1, 0), at(0, 1), at(0, -1), at(0, 0)], 3);
  assertNear(found.mean, mean, 1e-12, 'mean');
  const signed = found.components.map((component) =>
    component.map((value) => value * Math.sign(component.at(-1)! || component[0]!)),
  );
  assert.equal(signed.length, 2);
  assertNear(signed[0]!, [0.6, 0.8, 0, 0], 1e-9, 'the larger variance');
  assertNear(signed[1]!, [0, 0, 0, 1], 1e-9, 'the smaller variance');
  assert.deepEqual(principalSubspace([at(1, 1), at(1, 1)], 3).components, []);
});

test('leaves out a direction with less than a trillionth of the variance', () => {
  const countOf = (fraction: number) => {
    const small = Math.sqrt(fraction);
    const vectors = [
      [1, small],
      [-1, small],
      [1, -small],
      [-1, -small],
    ].map((each) => Float64Array.from(each));
    return principalSubspace(vectors as unknown as Float32Array[], 2).components.length;
  };
  assert.deepEqual([1e-3, 1.6e-12, 6e-13, 0].map(countOf), [2, 2, 1, 1]);
});
