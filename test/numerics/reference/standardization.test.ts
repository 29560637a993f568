import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIVATION_FUNCTIONS } from '../../../src/numerics/network/activations.ts';
import {
  activate,
  activatePixels,
  createActiveValues,
  dropOut,
} from '../../../src/numerics/reference/active-values.ts';
import { createPixelPlanes } from '../../../src/numerics/reference/layers/pixel-planes.ts';
import {
  foldBiases,
  foldBiasesBackward,
  pixelScales,
} from '../../../src/numerics/reference/standardization.ts';

const GREY = { mean: 0.5, std: 0.25 };
const COLOUR = {
  mean: [0.5, 0.25, 1] as [number, number, number],
  std: [0.5, 0.25, 0.5] as [number, number, number],
};
/** Two units of six inputs: two pixels of three colours. */
const WEIGHTS = Float64Array.of(1, 2, 3, 4, 5, 6, -1, 0, 1, 2, 0, 5);

test('means are folded into the biases, by channel', () => {
  const out = new Float64Array(2);
  // 0.5 / 0.25 = 2 times the sums 21 and 7.
  foldBiases(out, WEIGHTS, Float64Array.of(100, 10), GREY);
  assert.deepEqual(out, Float64Array.of(58, -4));
  // The ratios 1, 1 and 2 times the sums 5, 7 and 9, and 1, 0 and 6.
  foldBiases(out, WEIGHTS, Float64Array.of(100, 10), COLOUR);
  assert.deepEqual(out, Float64Array.of(70, -3));
});

test('the gradient of the weights loses the share of the means', () => {
  const gradient = new Float64Array(12);
  foldBiasesBackward(gradient, Float64Array.of(1, -2), COLOUR);
  assert.deepEqual(gradient, Float64Array.of(-1, -1, -2, -1, -1, -2, 2, 2, 4, 2, 2, 4));
  foldBiasesBackward(gradient.fill(0), Float64Array.of(1, 0), GREY);
  assert.deepEqual(gradient.subarray(0, 7), Float64Array.of(-2, -2, -2, -2, -2, -2, 0));
});

test('pixels are divided by 255 times the deviation of their channel', () => {
  assert.deepEqual(pixelScales(null), Float64Array.of(255));
  assert.deepEqual(pixelScales(COLOUR), Float64Array.of(127.5, 63.75, 127.5));
});

test('active values are those that are not zero, with their positions', () => {
  const a = createActiveValues(4);
  activatePixels(a, Uint8Array.of(9, 9, 0, 4, 6, 0), 2, Float64Array.of(1, 2, 3));
  assert.deepEqual(
    [a.count, [...a.indices.subarray(0, 2)], [...a.values.subarray(0, 2)]],
    [2, [1, 2], [2, 2]],
  );
  activate(a, Float64Array.of(-1, 2, 0, 3), ACTIVATION_FUNCTIONS.relu);
  assert.deepEqual(
    [a.count, [...a.indices.subarray(0, 2)], [...a.values.subarray(0, 2)]],
    [2, [1, 3], [2, 3]],
  );
  assert.deepEqual([...a.derivatives.subarray(0, 2)], [1, 1]);
  dropOut(a, Uint8Array.of(1, 0, 1, 1), 2);
  assert.deepEqual([a.count, a.indices[0], a.values[0], a.derivatives[0]], [1, 3, 6, 2]);
});

test('the pixels of an image become standardized planes, and their gradient pixels', () => {
  const planes = createPixelPlanes([1, 2, 3], COLOUR);
  planes.read(Uint8Array.of(7, 0, 255, 51, 255, 0, 102), 1);
  const expected = [(0 - 0.5) / 0.5, (1 - 0.5) / 0.5, (1 - 0.25) / 0.25, (0 - 0.25) / 0.25];
  assert.deepEqual([...planes.output.subarray(0, 4)], expected);
  const last = [(0.2 - 1) / 0.5, (0.4 - 1) / 0.5];
  for (const [i, value] of last.entries()) assert.ok(Math.abs(planes.output[4 + i]! - value) < 1e-15);
  planes.dOutput.set([1, 2, 3, 4, 5, 6]);
  assert.deepEqual(planes.toPixels(), Float64Array.of(2, 12, 10, 4, 16, 12));
});
