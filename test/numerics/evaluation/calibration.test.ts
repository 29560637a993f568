import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibration } from '../../../src/numerics/evaluation/calibration.ts';

test('confidences are compared with the accuracy in fifteen bins, whose upper edges belong to them', () => {
  const { expectedError, bins } = calibration({
    labels: Uint8Array.of(0, 0, 0, 1, 2),
    predicted: Uint8Array.of(0, 1, 0, 1, 0),
    confidences: Float32Array.of(0.5, 0.5, 1, 0.25, 0),
  });
  assert.deepEqual(
    bins.map(({ from, to }) => [from, to]),
    Array.from({ length: 15 }, (_, b) => [b / 15, (b + 1) / 15]),
  );
  const filled = [...bins.entries()].flatMap(([b, { count, confidence, accuracy }]) =>
    count > 0 ? [[b, count, confidence, accuracy]] : [],
  );
  assert.deepEqual(filled, [
    [0, 1, 0, 0],
    [3, 1, 0.25, 1],
    [7, 2, 0.5, 0.5],
    [14, 1, 1, 1],
  ]);
  assert.deepEqual([bins[1]!.confidence, bins[1]!.accuracy], [null, null]);
  // Only the image with the confidence 0.25 differs from the accuracy of its bin.
  assert.equal(expectedError, 0.75 / 5);
});
