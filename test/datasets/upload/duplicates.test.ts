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

test('validation images repeat an earlier one, or a training image, and test images a validation image', () => {
  const train = split([1, 2, 0], [2, 1, 0]);
  const validation = split([1, 2, 1], [5, 6, 0], [5, 6, 0]);
  const found = findDuplicates({ train, validation, test: split([5, 6, 1], [3, 4, 0]) });
  const once = (withOtherLabel: number, ...pair: [number, number]) => ({
    ...{ images: 1, withOtherLabel, first: [pair] },
  });
  const none = { images: 0, withOtherLabel: 0, first: [] };
  assert.deepEqual(found, {
    ...{ train: none, test: none, across: none },
    validation: once(0, 1, 2),
    validationInTrain: once(1, 0, 0),
    testInValidation: once(1, 1, 0),
  });
});
