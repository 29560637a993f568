/** The shapes of uploaded arrays. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { digestDataset } from '../../../../src/datasets/tensor-file.ts';
import type { CheckedUpload } from '../../../../src/datasets/upload/finish.ts';
import { datasetId } from '../../../../src/datasets/upload/id.ts';
import {
  type RequestedShape,
  requestedShapeText,
  showImageShape,
} from '../../../../src/domain/image-shape.ts';
import { type ImageShape, valueCount } from '../../../../src/numerics/network/image-shape.ts';
import {
  arrayShapes,
  IMAGE_SHAPES,
  shapedImages,
  toFortranOrder,
  toPlanes,
} from '../../../support/shaped-images.ts';
import { isAtelierError } from '../../fixtures.ts';
import { check, type Files, idx, idxGz, labels, npy, npz } from '../fixtures.ts';

const [TRAIN, TEST] = [6, 4];

/** Writes the images of both splits with `write`. */
function files(shape: ImageShape, write: (pixels: Uint8Array, count: number) => Buffer): Files {
  const all = shapedImages(shape, TRAIN + TEST);
  const end = TRAIN * valueCount(shape);
  return {
    train_images: write(all.subarray(0, end), TRAIN),
    train_labels: npy(labels(TRAIN, 2), [TRAIN]),
    test_images: write(all.subarray(end), TEST),
    test_labels: npy(labels(TEST, 2), [TEST]),
  };
}

function assertRead({ imageShape, tensors }: CheckedUpload, shape: ImageShape, message: string): void {
  assert.deepEqual(imageShape, shape, message);
  const end = TRAIN * valueCount(shape);
  const all = shapedImages(shape, TRAIN + TEST);
  assert.deepEqual(tensors.train.pixels, all.slice(0, end), message);
  assert.deepEqual(tensors.test.pixels, all.slice(end), message);
}

for (const shape of IMAGE_SHAPES) {
  const shown = showImageShape(shape);
  const { last, first } = arrayShapes(shape, 0);
  const forms = [
    ...last.map((form) => [form.slice(1), (pixels: Uint8Array) => pixels] as const),
    ...first.map((form) => [form.slice(1), (pixels: Uint8Array) => toPlanes(pixels, shape)] as const),
  ];
  describe(`images of ${shown}`, () => {
    for (const [form, layout] of forms) {
      test(`are read from arrays of (n, ${form.join(', ')})`, async (t) => {
        const writers = {
          npy: (pixels: Uint8Array, count: number) => npy(layout(pixels), [count, ...form]),
          'npy in Fortran order': (pixels: Uint8Array, count: number) =>
            npy(toFortranOrder(layout(pixels), [count, ...form]), [count, ...form], 'Fortran'),
          'npy of floats from 0 to 1': (pixels: Uint8Array, count: number) =>
            npy(
              Float32Array.from(layout(pixels), (value) => value / 255),
              [count, ...form],
            ),
          IDX: (pixels: Uint8Array, count: number) => idx(layout(pixels), [count, ...form]),
          'compressed IDX': (pixels: Uint8Array, count: number) => idxGz(layout(pixels), [count, ...form]),
        };
        for (const [title, write] of Object.entries(writers)) {
          const sent = files(shape, write);
          assertRead(await check(t, sent), shape, title);
          assertRead(await check(t, { file: npz(sent) }), shape, `${title} in an npz`);
          assertRead(await check(t, sent, { imageShape: [...shape] }), shape, `${title} with imageShape`);
        }
      });
    }

    test('are read from flat arrays with imageShape', async (t) => {
      const sent = files(shape, (pixels, count) => npy(pixels, [count, valueCount(shape)]));
      assertRead(await check(t, sent, { imageShape: [...shape] }), shape, 'flat');
      const fortran = files(shape, (pixels, count) => {
        const flat = [count, valueCount(shape)];
        return npy(toFortranOrder(pixels, flat), flat, 'Fortran');
      });
      assertRead(await check(t, fortran, { imageShape: [...shape] }), shape, 'Fortran');
    });
  });
}

test('without imageShape, flat arrays are grey and square', async (t) => {
  for (const side of [8, 28, 64]) {
    const shape = [side, side] as const;
    assertRead(
      await check(
        t,
        files(shape, (pixels, count) => npy(pixels, [count, side ** 2])),
      ),
      shape,
      `${side}`,
    );
  }
});

test('with imageShape [3, h, w], flat images are three planes, as the files of CIFAR', async (t) => {
  for (const [height, width] of [
    [32, 32],
    [9, 64],
  ] as const) {
    const shape = [height, width, 3] as const;
    const sent = files(shape, (pixels, count) => npy(toPlanes(pixels, shape), [count, valueCount(shape)]));
    assertRead(await check(t, sent, { imageShape: [3, height, width] }), shape, `${height}×${width}`);
    // The array shows where its channels are, whatever the field says.
    const last = files(shape, (pixels, count) => npy(pixels, [count, ...shape]));
    assertRead(await check(t, last, { imageShape: [3, height, width] }), shape, `${height}×${width}×3`);
  }
});

test('large colour images are read across the chunks of a file', async (t) => {
  const shape = [64, 64, 3] as const;
  const all = shapedImages(shape, 200);
  const arrays = {
    train_images: npy(toPlanes(all, shape), [200, 3, 64, 64]),
    train_labels: npy(labels(200, 2), [200]),
  };
  const { tensors, imageShape, splits } = await check(t, arrays, { testFraction: 0.25 });
  assert.deepEqual([imageShape, splits.train.examples, splits.test.examples], [shape, 150, 50]);
  const rows = new Set(
    Array.from({ length: 200 }, (_, n) =>
      Buffer.from(all.subarray(n * 12_288, (n + 1) * 12_288)).toString('base64'),
    ),
  );
  for (const { pixels, labels: found } of [tensors.train, tensors.test]) {
    for (let n = 0; n < found.length; n++)
      assert.ok(rows.delete(Buffer.from(pixels.subarray(n * 12_288, (n + 1) * 12_288)).toString('base64')));
  }
  assert.equal(rows.size, 0);
});

/** Four files whose training images have this shape. */
const shaped = (...image: number[]): Files => {
  const values = image.reduce((product, size) => product * size, 1);
  const write = (count: number) =>
    npy(
      new Uint8Array(count * values).map((_, i) => i % 251),
      [count, ...image],
    );
  return {
    train_images: write(TRAIN),
    train_labels: npy(labels(TRAIN, 2), [TRAIN]),
    test_images: write(TEST),
    test_labels: npy(labels(TEST, 2), [TEST]),
  };
};
const REFUSED: readonly (readonly [title: string, files: Files, message: RegExp, shape?: RequestedShape])[] =
  [
    ['two channels', shaped(8, 8, 2), /\(6, 8, 8, 2\); images must have 1 or 3 channels, first or last/],
    ['four channels', shaped(4, 32, 32), /\(6, 4, 32, 32\); images must have 1 or 3 channels/],
    ['seven pixels a side', shaped(7, 28), /\(6, 7, 28\); images must have 8 to 64 pixels a side. Resize/],
    ['65 pixels a side', shaped(3, 64, 65), /\(6, 3, 64, 65\); images must have 8 to 64 pixels a side/],
    ['a colour image of 7 pixels', shaped(7, 8, 3), /\(6, 7, 8, 3\); images must have 8 to 64/],
    [
      'five dimensions',
      shaped(1, 28, 28, 1),
      /\(6, 1, 28, 28, 1\); images must have shape \(n, height, width\)/,
    ],
    ['one dimension', shaped(), /\(6\); images must have shape/],
    ['flat images that are not square', shaped(880), /880 values, which is no square of 8 to 64/],
    ['flat images of 65×65', shaped(65 ** 2), /4225 values, which is no square/],
    [
      'flat images of another size than the field',
      shaped(880),
      /\(6, 880\), but imageShape is 20×43; allowed: /,
      [20, 43],
    ],
    [
      'grey images and a field of colour',
      shaped(32, 32),
      /\(6, 32, 32\), but imageShape is 32×32×3; allowed: \(n, 3072\), \(n, 32, 32, 3\), \(n, 3, 32, 32\)/,
      [32, 32, 3],
    ],
    [
      'colour images and a grey field',
      shaped(3, 32, 32),
      /\(6, 3, 32, 32\), but imageShape is 32×32; allowed: \(n, 32, 32\)/,
      [32, 32],
    ],
    ['height and width exchanged', shaped(20, 44), /\(6, 20, 44\), but imageShape is 44×20/, [44, 20]],
  ];
for (const [title, sent, message, imageShape] of REFUSED) {
  test(`rejects ${title}, with the shape found and the shapes allowed`, async (t) => {
    const expected = isAtelierError('invalid-dataset-file', message, '#/train_images');
    await assert.rejects(check(t, sent, imageShape && { imageShape }), expected);
  });
}

test('rejects other images in the test split', async (t) => {
  for (const [image, shown] of [
    [[8, 9], '8×9'],
    [[8, 8, 3], '8×8×3'],
    [[81], '9×9'],
  ] as const) {
    const { train_images, train_labels } = shaped(8, 8) as Record<string, Buffer>;
    const { test_images, test_labels } = shaped(...image) as Record<string, Buffer>;
    const sent = {
      train_images: train_images!,
      train_labels: train_labels!,
      test_images: test_images!,
      test_labels: test_labels!,
    };
    await assert.rejects(
      check(t, sent),
      isAtelierError(
        'invalid-dataset-file',
        new RegExp(`its images are ${shown}, but those of train_images are 8×8`),
        '#/test_images',
      ),
    );
  }
});

test('a wrong pixel is named by its row, column and channel, wherever its channels are', async (t) => {
  const shape = [8, 9, 3] as const;
  const pixels = new Float32Array(TRAIN * 216).fill(200);
  pixels[216 + (5 * 9 + 7) * 3 + 2] = 256;
  for (const [values, form] of [
    [pixels, [8, 9, 3]],
    [toPlanes(pixels, shape), [3, 8, 9]],
  ] as const) {
    const sent = { ...shaped(8, 9, 3), train_images: npy(values, [TRAIN, ...form]) };
    await assert.rejects(
      check(t, sent),
      isAtelierError('invalid-dataset-file', /pixel \[1, 5, 7, 2\] is 256/, '#/train_images'),
    );
  }
});

test('counts every value of the images against the limit', async (t: TestContext) => {
  const sent = shaped(32, 32, 3);
  const bytes = (TRAIN + TEST) * (32 * 32 * 3 + 1);
  await check(t, sent, {}, bytes);
  await assert.rejects(
    check(t, sent, {}, bytes - 1),
    isAtelierError(
      'invalid-dataset-file',
      new RegExp(`the images take ${bytes} bytes; the limit is ${bytes - 1}`),
    ),
  );
});

test('the same bytes of another shape have another digest and another id', async (t) => {
  const shapes = [
    [28, 28],
    [14, 56],
    [56, 14],
    [16, 49],
  ] as const;
  const uploads = await Promise.all(shapes.map((shape) => check(t, shaped(784), { imageShape: [...shape] })));
  const digests = uploads.map(({ tensors, imageShape }) => digestDataset({ imageShape, ...tensors }));
  assert.equal(new Set(digests).size, shapes.length);
  const ids = uploads.map((upload, n) => datasetId({ ...upload, digest: digests[n]! }));
  assert.equal(new Set(ids).size, shapes.length);
});

test('the field imageShape is read as text in several notations', () => {
  for (const text of ['[32, 32, 3]', '32×32×3', '32x32x3', '32,32,3', ' [32,32,3] '])
    assert.deepEqual(requestedShapeText.parse(text), [32, 32, 3], text);
  assert.equal(requestedShapeText.parse(undefined), 'auto');
  assert.deepEqual(requestedShapeText.parse('[3, 20, 44]'), [3, 20, 44]);
  for (const text of [
    '',
    '32',
    '[32]',
    '[32, 32, 4]',
    '[7, 32]',
    '[32, 65]',
    '[1, 32, 32]',
    '32.5,32',
    'grey',
    '[32, 32, 3, 1]',
  ]) {
    const { error } = requestedShapeText.safeParse(text);
    assert.match(error?.issues[0]?.message ?? '', /must be auto, \[height, width\], .* 8 to 64 pixels/, text);
  }
});
