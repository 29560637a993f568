import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  channelsLast,
  describedShape,
  describeImages,
  isImageSize,
  isPlanar,
  requestedShapeText,
  showImageShape,
  squareShape,
  toImageRows,
} from '../../src/domain/image-shape.ts';

test('a requested shape may be written in several ways', () => {
  for (const [text, shape] of [
    [undefined, 'auto'],
    [' auto ', 'auto'],
    ['[8, 64]', [8, 64]],
    [' [32,32,3] ', [32, 32, 3]],
    ['32×20×3', [32, 20, 3]],
    ['32x20', [32, 20]],
    ['3,32,20', [3, 32, 20]],
  ] as const)
    assert.deepEqual(requestedShapeText.parse(text), shape, `${text}`);
  for (const text of ['', '7x8', '8x65', '8', '8x8x1', '8xx8', '3x8x8x8', '[8, 8'])
    assert.deepEqual(
      requestedShapeText.safeParse(text).error?.issues.map(({ message }) => message),
      ['must be auto, [height, width], [height, width, 3] or [3, height, width], with 8 to 64 pixels a side'],
      text,
    );
});

test('planes are images with channels last', () => {
  assert.deepEqual([isPlanar('auto'), isPlanar([3, 8, 9]), isPlanar([8, 9, 3])], [false, true, false]);
  assert.deepEqual(channelsLast([3, 8, 9]), [8, 9, 3]);
  assert.deepEqual(channelsLast([8, 9, 3]), [8, 9, 3]);
  assert.deepEqual(channelsLast([8, 9]), [8, 9]);
});

test('flat images of unknown shape are squares of 8 to 64 pixels', () => {
  assert.deepEqual([64, 4096, 784].map(squareShape), [
    [8, 8],
    [64, 64],
    [28, 28],
  ]);
  assert.deepEqual([49, 4225, 65, 0].map(squareShape), [undefined, undefined, undefined, undefined]);
});

test('the size of an image is a product of two sides, once or three times', () => {
  for (const size of [64, 72, 4096, 3 * 64, 3 * 4096, 3 * 61 * 61]) assert.ok(isImageSize(size), `${size}`);
  for (const size of [0, 63, 65, 67, 8 * 65 + 1, 3 * 4096 + 1, 8 * 67, 64 * 65, 6 * 61 * 61])
    assert.ok(!isImageSize(size), `${size}`);
});

test('shapes are written for people and for metadata', () => {
  assert.equal(showImageShape([32, 20, 3]), '32×20×3');
  assert.equal(describeImages([28, 20]), 'grey images of 28×20 pixels');
  assert.equal(describeImages([28, 20, 3], 'image'), 'colour image of 28×20 pixels');
  assert.deepEqual([describedShape([28, 28]), describedShape([28, 28, 3])], [[784], [28, 28, 3]]);
});

test('an image becomes rows, of numbers or of pixels', () => {
  const numbers = Array.from({ length: 12 }, (_, i) => i);
  assert.deepEqual(toImageRows(numbers, [3, 4]), [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9, 10, 11],
  ]);
  assert.deepEqual(toImageRows(numbers, [2, 2, 3]), [
    [
      [0, 1, 2],
      [3, 4, 5],
    ],
    [
      [6, 7, 8],
      [9, 10, 11],
    ],
  ]);
});
