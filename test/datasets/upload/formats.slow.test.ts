import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CheckedUpload } from '../../../src/datasets/upload/finish.ts';
import { parseNpy } from '../../../src/formats/arrays/npy.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { check, type Files, idx, idxGz, npy, npz } from './fixtures.ts';

const real = (kind: string) =>
  parseNpy(readFileSync(join(DATA_DIR, `fashion_mnist_test_${kind}.npy`))).data as Uint8Array;
const IMAGES = real('images');
const LABELS = real('labels');
const COUNT = LABELS.length;

/** The bytes of `numpy.asfortranarray(pixels.reshape(shape))` in a file. */
function inFortranOrder(
  pixels: Uint8Array,
  [count, height, width]: readonly [number, number, number],
): Uint8Array {
  const moved = new Uint8Array(pixels.length);
  for (let n = 0; n < count; n++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        moved[n + count * (y + height * x)] = pixels[(n * height + y) * width + x]!;
  return moved;
}

const train = (pixels: Uint8Array, of: Uint8Array): Files => ({ train_images: pixels, train_labels: of });

/** Each form holds the 10,000 real test images, so each must give the same data set and the same held-out images. */
const FORMS: readonly (readonly [form: string, files: () => Files])[] = [
  ['npy', () => train(npy(IMAGES, [COUNT, 28, 28]), npy(LABELS, [COUNT]))],
  [
    'npy of rows, in Fortran order',
    () =>
      train(npy(inFortranOrder(IMAGES, [COUNT, 784, 1]), [COUNT, 784], 'Fortran'), npy(LABELS, [COUNT, 1])),
  ],
  [
    'npy of squares, in Fortran order',
    () =>
      train(
        npy(inFortranOrder(IMAGES, [COUNT, 28, 28]), [COUNT, 28, 28, 1], 'Fortran'),
        npy(LABELS, [COUNT]),
      ),
  ],
  ['IDX', () => train(idx(IMAGES, [COUNT, 28, 28]), idx(LABELS, [COUNT]))],
  ['IDX packed by gzip', () => train(idxGz(IMAGES, [COUNT, 28, 28]), idxGz(LABELS, [COUNT]))],
  ['an npz, packed', () => ({ file: npz(train(npy(IMAGES, [COUNT, 784]), npy(LABELS, [COUNT]))) })],
  [
    'an npz, not packed, with the names of Keras',
    () => ({ file: npz({ x_train: npy(IMAGES, [COUNT, 784]), y_train: npy(LABELS, [COUNT]) }, 0) }),
  ],
  [
    'f8 of 0–1, i8',
    () =>
      train(
        npy(
          Float64Array.from(IMAGES, (pixel) => pixel / 255),
          [COUNT, 784],
        ),
        npy(BigInt64Array.from(LABELS, BigInt), [COUNT]),
      ),
  ],
  [
    'f4 of 0–255, f8',
    () =>
      train(npy(Float32Array.from(IMAGES), [COUNT, 28, 28, 1]), npy(Float64Array.from(LABELS), [COUNT, 1])),
  ],
  [
    'f2 of 0–1, i1',
    () =>
      train(
        npy(
          Float16Array.from(IMAGES, (pixel) => pixel / 255),
          [COUNT, 28, 28],
        ),
        npy(Int8Array.from(LABELS), [COUNT]),
      ),
  ],
  [
    'u8, u2',
    () =>
      train(npy(BigUint64Array.from(IMAGES, BigInt), [COUNT, 784]), npy(Uint16Array.from(LABELS), [COUNT])),
  ],
];

test('the same images give the same data set in every format', async (t) => {
  let first: CheckedUpload['tensors'] | undefined;
  for (const [form, files] of FORMS) {
    await t.test(form, async (form) => {
      const { tensors, report, classNames } = await check(form, files(), { testFraction: 0.2 });
      first ??= tensors;
      assert.deepEqual(classNames, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
      assert.equal(report.pixels.rounded, 0);
      for (const split of ['train', 'test'] as const) {
        assert.ok(Buffer.from(tensors[split].pixels).equals(first[split].pixels), split);
        assert.deepEqual(tensors[split].labels, first[split].labels, split);
      }
    });
  }
});
