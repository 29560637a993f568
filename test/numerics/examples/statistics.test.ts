import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balancedClassWeights, pixelStatistics } from '../../../src/numerics/examples/statistics.ts';
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
  const own = pixelStatistics(
    { pixels: Uint8Array.from(pixels) },
    firstIndices(pixels.length / inputs),
    inputs,
  );
  assertNear([own.mean, own.std], [mean, std], 1e-14, 'mean and deviation');
});

test('measures the given examples only, in any order', () => {
  const pixels = Uint8Array.of(0, 255, 7, 7, 255, 0);
  assert.deepEqual(pixelStatistics({ pixels }, Uint32Array.of(0, 2), 2), { mean: 0.5, std: 0.5 });
  assert.deepEqual(pixelStatistics({ pixels }, Uint32Array.of(2, 0), 2), { mean: 0.5, std: 0.5 });
});

test('constant pixels are only centred', () => {
  const pixels = new Uint8Array(4).fill(51);
  assert.deepEqual(pixelStatistics({ pixels }, firstIndices(2), 2), { mean: 0.2, std: 1 });
});
