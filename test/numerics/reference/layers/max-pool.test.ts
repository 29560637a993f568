import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMaxPool } from '../../../../src/numerics/reference/layers/max-pool.ts';

/** Pools one plane. */
function pool(height: number, width: number, values: number[]) {
  const below = { output: Float64Array.from(values), dOutput: new Float64Array(values.length).fill(7) };
  const output = { height: height >> 1, width: width >> 1, channels: 1 };
  const layer = createMaxPool(below, { height, width, channels: 1 }, output);
  layer.forward();
  layer.dOutput.forEach((_, p) => {
    layer.dOutput[p] = p + 1;
  });
  layer.backward();
  return { pooled: [...layer.output], winners: [...layer.winners!], gradient: [...below.dOutput] };
}

test('an odd last row and column have no window and no gradient', () => {
  const { pooled, gradient } = pool(3, 5, [1, 2, 3, 4, 90, 0, 5, 9, -1, 90, 90, 90, 90, 90, 90]);
  assert.deepEqual(pooled, [5, 9]);
  assert.deepEqual(gradient, [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0]);
});

test('the first of equal values in reading order receives the gradient', () => {
  assert.deepEqual(pool(2, 2, [3, 3, 3, 3]).gradient, [1, 0, 0, 0]);
  assert.deepEqual(pool(2, 2, [0, 4, 4, 1]).gradient, [0, 1, 0, 0]);
  assert.deepEqual(pool(2, 2, [0, -1, 4, 4]).winners, [2]);
});

test('NaN is the maximum of its window', () => {
  assert.deepEqual(pool(2, 2, [1, Number.NaN, 5, 2]).pooled, [Number.NaN]);
  assert.deepEqual(pool(2, 2, [Number.NaN, 1, 5, 2]).pooled, [Number.NaN]);
});
