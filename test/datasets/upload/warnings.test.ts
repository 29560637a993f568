import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findWarnings } from '../../../src/datasets/upload/warnings.ts';

const array = {
  part: 'x',
  format: 'npy',
  dtype: 'u1',
  shape: [9, 28, 28],
  minimum: 0,
  maximum: 255,
} as const;
const none = { images: 0, withOtherLabel: 0, first: [] };
const found = {
  ...{ arrays: [], pixels: { range: '0-255', rounded: 0 }, heldOut: null },
  duplicates: { train: none, test: none, across: none },
  constantImages: { train: 0, test: 0 },
} as unknown as Parameters<typeof findWarnings>[0];
const CLASSES = Array.from('abcdefghijklmnopqrstuvwxyz');

/** The messages for training and test images of each class, by code. */
function warn(changes: object, train: readonly number[] = [10, 10], test: readonly number[] = [1, 1]) {
  const split = (examplesPerClass: readonly number[]) => ({
    examples: examplesPerClass.reduce((sum, count) => sum + count, 0),
    examplesPerClass: [...examplesPerClass],
  });
  const warnings = findWarnings(
    { ...found, ...changes },
    { train: split(train), test: split(test) } as never,
    CLASSES,
  );
  return warnings.map(({ code, message }) => `${code}: ${message}`);
}

test('an ordinary data set has no warning', () => {
  assert.deepEqual(warn({ arrays: [array] }), []);
});

for (const [what, changes, message] of [
  [
    'up to 1',
    { maximum: 1 },
    'greater than 1 on the scale 0–255. If 1 is white, multiply by 255 or send floats.',
  ],
  ['up to 32', { maximum: 32 }, 'greater than 32 on the scale 0–255. If 32 is white, multiply by 255 / 32.'],
  ['up to 33', { maximum: 33 }, null],
  [
    'as floats above 1',
    { dtype: 'f4', maximum: 1.5 },
    'greater than 1.5 on the scale 0–255. If 1.5 is white, multiply by 255 / 1.5.',
  ],
  [
    'in flat rows',
    { shape: [9, 784], maximum: 16 },
    'greater than 16 on the scale 0–255. If 16 is white, multiply by 255 / 16.',
  ],
  ['as floats up to 1', { dtype: 'f4', maximum: 1 }, null],
  ['in labels', { shape: [9], maximum: 9 }, null],
  ['in labels of one column', { shape: [9, 1], maximum: 9 }, null],
] as const) {
  test(`small numbers ${what} ${message === null ? 'are no warning' : 'are dark images'}`, () => {
    const expected = message === null ? [] : [`dark-images: No pixel of x is ${message}`];
    assert.deepEqual(warn({ arrays: [{ ...array, ...changes }] }), expected);
  });
}

test('classes are unbalanced if one has more than ten times the images of another', () => {
  assert.deepEqual(warn({}, [100, 10], [1, 1]), []);
  assert.deepEqual(warn({}, [50, 101, 10], [1, 1, 1]), [
    'unbalanced-classes: Class 2 ("c") has 10 training images, but class 1 ("b") has 101. Set "classWeights": "balanced" to weight classes equally.',
  ]);
});

test('classes without test images are named, at most five of them', () => {
  const without = (count: number) => warn({}, new Array(count + 1).fill(1), [5, ...new Array(count).fill(0)]);
  assert.deepEqual(without(1), ['class-not-tested: Class 1 ("b") has no test image.']);
  assert.deepEqual(without(2), ['class-not-tested: 2 classes have no test image: 1 ("b"), 2 ("c").']);
  assert.match(without(5)[0]!, /: 5 classes have no test image: 1 \("b"\), .*, 5 \("f"\)\.$/);
  assert.match(without(7)[0]!, /, 5 \("f"\) and 2 more\.$/);
});

test('rounded pixels, duplicates and constant images are counted', () => {
  assert.deepEqual(
    warn({
      pixels: { range: '0-1', rounded: 3 },
      duplicates: { train: { ...none, withOtherLabel: 4 }, test: none, across: { ...none, images: 1 } },
      constantImages: { train: 2, test: 5 },
    }),
    [
      'rounded-pixels: 3 pixels were rounded to the nearest whole number from 0 to 255.',
      'test-images-in-train: 1 of 2 test images are also training images, so the test accuracy will be too high.',
      'contradictory-labels: 4 training images repeat an earlier image with a different label.',
      'constant-images: 7 images have only one grey value.',
    ],
  );
});

test('warns of validation images that are training images, and of test images that are validation images', () => {
  const duplicates = {
    ...{ train: none, test: none, across: none, validation: none },
    validationInTrain: { ...none, images: 3 },
    testInValidation: { ...none, images: 2 },
  };
  const split = (examples: number) => ({ examples, examplesPerClass: [examples] });
  const splits = { train: split(10), validation: split(7), test: split(5) };
  assert.deepEqual(
    findWarnings({ ...found, duplicates }, splits, CLASSES).map(({ code, message }) => [
      code,
      message.split(',')[0],
    ]),
    [
      ['validation-images-in-train', '3 of 7 validation images are also training images'],
      ['test-images-in-validation', '2 of 5 test images are also validation images'],
    ],
  );
});
