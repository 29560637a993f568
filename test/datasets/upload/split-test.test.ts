import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageRow, splitTest } from '../../../src/datasets/upload/split-test.ts';
import { isAtelierError } from '../fixtures.ts';

/** Image n has the pixels n and 100 + n; its class is n modulo 2. */
const examples = (count: number) => ({
  pixels: Uint8Array.from({ length: 2 * count }, (_, i) => (i >> 1) + 100 * (i & 1)),
  labels: Uint8Array.from({ length: count }, (_, n) => n % 2),
});

test('each split has whole images with their labels, and each image is in one split', () => {
  const { train, test: held } = splitTest(examples(20), [1, 2], 0.3, 5);
  const numbers = ({ pixels, labels }: typeof train) =>
    Array.from(labels, (label, n) => {
      const [first, second] = imageRow(pixels, 2, n);
      assert.deepEqual([second, label], [100 + first!, first! % 2]);
      return first!;
    });
  const [trained, tested] = [numbers(train), numbers(held)];
  assert.deepEqual([trained.length, tested.length], [14, 6]);
  assert.equal(tested.filter((n) => n % 2 === 0).length, 3);
  assert.deepEqual(
    [...trained, ...tested].toSorted((a, b) => a - b),
    Array.from({ length: 20 }, (_, n) => n),
  );
});

test('a fraction that is no image is rejected, with a larger one as advice if there is one', () => {
  const reject = (count: number, fraction: number, message: RegExp) =>
    assert.throws(
      () => splitTest(examples(count), [1, 2], fraction, 0),
      isAtelierError('invalid-dataset-file', message, '#/testFraction'),
    );
  reject(2, 0.2, /0\.2 of each class is no image; send a fraction of up to 0\.5, or more images\.$/);
  reject(0, 0.5, /0\.5 of each class is no image; send more images\.$/);
});
