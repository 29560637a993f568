import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  brightest,
  centreOfMass,
  inverted,
  transposed,
} from '../../../src/numerics/diagnosis/transformations.ts';

const SHAPE = [28, 28] as const;

/** An image that is black except for the given pixels. */
function imageOf(...points: readonly (readonly [x: number, y: number, value: number])[]): Uint8Array {
  const pixels = new Uint8Array(784);
  for (const [x, y, value] of points) pixels[28 * y + x] = value;
  return pixels;
}

test('the brightest pixel has the greatest value, wherever it is', () => {
  assert.equal(brightest(imageOf()), 0);
  assert.equal(brightest(imageOf([0, 0, 200], [13, 14, 7])), 200);
  assert.equal(brightest(imageOf([27, 27, 255], [0, 0, 254])), 255);
  assert.equal(brightest(new Float32Array(784).fill(0.25)), 0.25);
});

test('the centre of mass is the mean position of the pixels, weighted by their values', () => {
  assert.deepEqual(centreOfMass(imageOf([3, 20, 9]), SHAPE), { x: 3, y: 20 });
  // (10 · 4 + 30 · 8) / 40 = 7, and (10 · 2 + 30 · 22) / 40 = 17.
  assert.deepEqual(centreOfMass(imageOf([4, 2, 10], [8, 22, 30]), SHAPE), { x: 7, y: 17 });
  assert.deepEqual(centreOfMass(imageOf(), SHAPE), { x: 13.5, y: 13.5 }, 'a black image');
  assert.deepEqual(centreOfMass(Uint8Array.of(0, 0, 0, 0, 0, 7), [2, 3]), { x: 2, y: 1 });
  assert.deepEqual(centreOfMass(new Uint8Array(6), [2, 3]), { x: 1, y: 0.5 });
});

test('inverting and transposing change every pixel, and twice is not at all', () => {
  const image = imageOf([5, 2, 250], [27, 0, 1]);
  assert.deepEqual(transposed(image, SHAPE), imageOf([2, 5, 250], [0, 27, 1]));
  const light = inverted(image);
  assert.deepEqual([light[28 * 2 + 5], light[27], light[0]], [5, 254, 255]);
  assert.deepEqual(inverted(light), image);
});
