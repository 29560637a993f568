import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finishUpload } from '../../../src/datasets/upload/finish.ts';
import { isAtelierError } from '../fixtures.ts';

/** Finishes an upload of images of two pixels, all different, with these labels. */
function finish(train: readonly number[], tested: readonly number[]) {
  const split = (labels: readonly number[], from: number) => ({
    pixels: Uint8Array.from({ length: 2 * labels.length }, (_, i) => (i % 2 === 0 ? from + i : 0)),
    labels: Uint8Array.from(labels),
  });
  return finishUpload({
    tensors: { train: split(train, 1), validation: null, test: split(tested, 101) },
    imageShape: [1, 2],
    classNames: ['a', 'b', 'c'],
    preprocessing: null,
    part: 'x',
    found: { arrays: [], pixels: { range: '0-255', rounded: 2 }, heldOut: null },
    warnings: [{ code: 'unread-images', message: 'First.' }],
  });
}

test('an upload counts its images by class, and given warnings come before those found', () => {
  const { splits, report } = finish([0, 1, 2, 2], [2, 1, 0]);
  assert.deepEqual(splits.train, { examples: 4, examplesPerClass: [1, 1, 2] });
  assert.deepEqual(splits.test, { examples: 3, examplesPerClass: [1, 1, 1] });
  assert.deepEqual(report.constantImages, { train: 0, test: 0 });
  assert.deepEqual(
    report.warnings.map(({ code }) => code),
    ['unread-images', 'rounded-pixels'],
  );
});

test('each class needs a training image, and the first one without is named', () => {
  const named = (label: number, name: string) =>
    isAtelierError(
      'invalid-dataset-file',
      new RegExp(`class ${label} \\("${name}"\\) has no training image; every label from 0 to 2 must occur`),
      '#/x',
    );
  assert.throws(() => finish([1, 2], [0]), named(0, 'a'));
  assert.throws(() => finish([0], [1]), named(1, 'b'));
});
