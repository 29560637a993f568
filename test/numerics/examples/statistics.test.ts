import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  balancedClassWeights,
  pixelStatistics,
  uniformChannel,
} from '../../../src/numerics/examples/statistics.ts';
import { assertNear, firstIndices, knobs } from '../fixtures.ts';

test("balanced weights equal scikit-learn's", () => {
  for (const { labels, weights } of knobs.balanced) {
    const own = balancedClassWeights(Uint8Array.from(labels), firstIndices(labels.length), weights.length);
    assertNear(own, weights, 1e-15, 'weights');
  }
});

test('balanced weights count the given examples only, and are 0 for a class without examples', () => {
  const labels = Uint8Array.of(0, 0, 0, 1, 2);
  assert.deepEqual([...balancedClassWeights(labels, Uint32Array.of(0, 1, 3), 3)], [0.5, 1, 0]);
});

test("mean and deviation of the pixels equal scikit-learn's StandardScaler", () => {
  const { pixels, inputs, mean, std } = knobs.pixels;
  const own = pixelStatistics({ pixels: Uint8Array.from(pixels) }, firstIndices(pixels.length / inputs), [
    1,
    inputs,
  ]);
  assertNear([own.mean, own.std].flat(), [mean, std], 1e-14, 'mean and deviation');
});

test('measures the given examples only, in any order', () => {
  const pixels = Uint8Array.of(0, 255, 7, 7, 255, 0);
  assert.deepEqual(pixelStatistics({ pixels }, Uint32Array.of(0, 2), [1, 2]), { mean: 0.5, std: 0.5 });
  assert.deepEqual(pixelStatistics({ pixels }, Uint32Array.of(2, 0), [1, 2]), { mean: 0.5, std: 0.5 });
});

test('constant pixels are only centred', () => {
  const pixels = new Uint8Array(4).fill(51);
  assert.deepEqual(pixelStatistics({ pixels }, firstIndices(2), [1, 2]), { mean: 0.2, std: 1 });
});

test('each channel of colour images has a mean and a deviation', () => {
  const pixels = Uint8Array.of(0, 51, 10, 255, 51, 20, 255, 51, 30, 0, 51, 40);
  const { mean, std } = pixelStatistics({ pixels }, firstIndices(2), [1, 2, 3]);
  assertNear(mean as number[], [0.5, 0.2, 25 / 255], 1e-15, 'means');
  assertNear(std as number[], [0.5, 1, Math.sqrt(125) / 255], 1e-15, 'deviations');
});

test('finds the first channel whose values are all equal', () => {
  const pixels = Uint8Array.of(0, 51, 10, 255, 51, 20, 9, 52, 10, 9, 51, 10);
  assert.equal(uniformChannel({ pixels }, Uint32Array.of(0), [1, 2, 3]), 1);
  assert.equal(uniformChannel({ pixels }, firstIndices(2), [1, 2, 3]), null);
  assert.equal(uniformChannel({ pixels }, Uint32Array.of(1), [1, 2, 3]), 0);
  assert.equal(uniformChannel({ pixels }, firstIndices(2), [2, 3]), null);
  assert.equal(uniformChannel({ pixels: new Uint8Array(12) }, firstIndices(2), [2, 3]), 0);
});
