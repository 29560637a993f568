import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  channelCount,
  DEFAULT_IMAGE_SHAPE,
  type ImageShape,
  isSameShape,
  valueCount,
} from '../../../src/numerics/network/image-shape.ts';

test('a shape with three numbers is one of colour images', () => {
  assert.deepEqual([channelCount([5, 7]), valueCount([5, 7])], [1, 35]);
  assert.deepEqual([channelCount([5, 7, 3]), valueCount([5, 7, 3])], [3, 105]);
  assert.equal(valueCount(DEFAULT_IMAGE_SHAPE), 784);
});

test('shapes are the same only with equal heights, widths and channels', () => {
  const shape: ImageShape = [5, 7, 3];
  assert.ok(isSameShape(shape, [5, 7, 3]));
  const others: ImageShape[] = [
    [5, 7],
    [5, 8, 3],
    [6, 7, 3],
    [57, 3],
  ];
  for (const other of others) assert.ok(!isSameShape(shape, other), String(other));
});
