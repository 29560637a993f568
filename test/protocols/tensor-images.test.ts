import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromTensor } from '../../src/protocols/tensor-images.ts';
import { isAtelierError } from '../datasets/fixtures.ts';

const options = { image: [1, 2], name: 'T', scale: '0-255', rounding: 2 ** -22, single: false } as const;
const read = (shape: number[], values: number[], changes = {}) =>
  fromTensor({ shape, values: Float64Array.from(values) }, { ...options, ...changes });

test('numbers are pixels on their scale, and a single image needs no batch dimension if allowed', () => {
  const pixels = Uint8Array.of(0, 51, 102, 255);
  assert.deepEqual(read([2, 2], [0, 51, 102, 255]), { count: 2, pixels });
  assert.deepEqual(read([2, 1, 2], [0, 0.2, 0.4, 1], { scale: '0-1' }), { count: 2, pixels });
  assert.deepEqual(read([1, 2], [0, 255], { single: true }).count, 1);
});

test('channels follow their pixel, although they come first in the tensor', () => {
  const { pixels } = read([1, 3, 1, 2], [1, 2, 3, 4, 5, 6], { image: [1, 2, 3] });
  assert.deepEqual(pixels, Uint8Array.of(1, 3, 5, 2, 4, 6));
});

test('another shape is rejected with the shapes that are allowed', () => {
  assert.throws(
    () => read([3], [1, 2, 3]),
    isAtelierError('invalid-image-size', /^T has shape \(3,\); allowed: .*, with n at least 1\.$/),
  );
});

test('a number out of range is rejected with its place, and with advice if there is any', () => {
  assert.throws(
    () => read([2, 2], [0, 1, 2, 256]),
    isAtelierError('invalid-pixels', /^T is 256 at \[1, 1\]; its pixels must be from 0 to 255\.$/),
  );
  assert.throws(
    () => read([2, 2], [0, 1, 2, 1], { scale: '0-1', advice: 'Divide.' }),
    isAtelierError('invalid-pixels', /^T is 2 at \[1, 0\]; its pixels must be from 0 to 1\. Divide\.$/),
  );
});
