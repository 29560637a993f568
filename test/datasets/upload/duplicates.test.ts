import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countConstant, findDuplicates } from '../../../src/datasets/upload/duplicates.ts';

/** Images of two pixels with their labels. */
const split = (...images: readonly (readonly [first: number, second: number, label: number])[]) => ({
  pixels: Uint8Array.from(images.flatMap((image) => image.slice(0, 2))),
  labels: Uint8Array.from(images, ([, , label]) => label),
});

test('images repeat an earlier one of their split, or one of the training images', () => {
  const train = split([1, 2, 0], [2, 1, 0], [1, 2, 0], [1, 2, 1]);
  const tested = split([7, 7, 0], [1, 2, 1], [7, 7, 0], [2, 1, 0]);
  assert.deepEqual(findDuplicates({ train, validation: null, test: tested }), {
    train: {
      images: 2,
      withOtherLabel: 1,
      first: [
        [0, 2],
        [0, 3],
      ],
    },
    test: { images: 1, withOtherLabel: 0, first: [[0, 2]] },
    across: {
      images: 2,
      withOtherLabel: 1,
      first: [
        [0, 1],
        [1, 3],
      ],
    },
  });
});

test('images of one grey value are constant', () => {
  assert.equal(countConstant(split([0, 0, 0], [0, 1, 0], [9, 9, 1])), 2);
  assert.equal(countConstant(split()), 0);
});
