/** Invalid uploads: the error names the part and the position. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { DatasetFields } from '../../../src/domain/datasets/upload-form.ts';
import { AtelierError } from '../../../src/errors.ts';
import { isAtelierError } from '../fixtures.ts';
import { check, type Files, idx, idxGz, images, labels, npy, npz, small } from './fixtures.ts';

const four = small();
const without = (...parts: string[]): Files =>
  Object.fromEntries(Object.entries(four).filter(([part]) => !parts.includes(part)));
const floats = (count: number, at: number, value: number) => {
  const pixels = new Float32Array(count * 784);
  pixels[at] = value;
  return npy(pixels, [count, 28, 28]);
};
const eight = (values: number[]) => npy(Float64Array.from(values), [8]);
const bigEndian = Buffer.from(
  String(four['train_images']!.toString('latin1')).replace("'|u1'", "'>u2'"),
  'latin1',
);

type Case = readonly [
  title: string,
  files: Files,
  part: string,
  message: RegExp,
  fields?: Partial<DatasetFields>,
];

const CASES: readonly Case[] = [
  ['nothing to test on', without('test_images', 'test_labels'), 'test_images', /testFraction=0\.2/],
  ['something to test on, and a share to hold out', four, 'testFraction', /omit it/, { testFraction: 0.2 }],
  [
    'a share that is no image of any class',
    without('test_images', 'test_labels'),
    'testFraction',
    /0\.01 of each class is no image; send a fraction of up to 0\.5, or more images/,
    { testFraction: 0.01 },
  ],
  [
    'a largest share of one image in each class',
    { train_images: npy(new Uint8Array(2 * 784), [2, 28, 28]), train_labels: npy(Uint8Array.of(0, 1), [2]) },
    'testFraction',
    /0\.5 of each class is no image; send more images/,
    { testFraction: 0.5 },
  ],
  ['no training images', without('train_images'), 'train_images', /train_labels was sent/],
  ['no training labels', without('train_labels'), 'train_labels', /train_images was sent/],
  [
    'nothing to train on',
    without('train_images', 'train_labels'),
    'train_images',
    /train_images, train_labels, val_images, val_labels, test_images and test_labels, or x_train/,
  ],
  ['test labels without images', without('test_images'), 'test_images', /test_labels was sent/],
  [
    'an array by both of its names',
    { ...four, x_train: four['train_images']! },
    'x_train',
    /was sent as train_images/,
  ],
  ['an npz beside a file', { file: npz(four), train_images: four['train_images']! }, 'file', /no other file/],
  [
    'an npz with an array of another name',
    { file: npz({ ...four, extra: four['test_labels']! }) },
    'file',
    /has an unknown array "extra"/,
  ],
  [
    'an npz under the name of an array',
    { ...four, train_images: npz(four) },
    'train_images',
    /not an npy or IDX array/,
  ],
  [
    'an array under the name of the npz',
    { file: four['train_images']! },
    'file',
    /is an npy array, but must be an archive: a zip.* of images in class folders.*npz.*single arrays as train_images, /,
  ],
  ['an IDX array under that name', { file: idx(images(8, 2), [8, 28, 28]) }, 'file', /is an IDX array, but/],
  [
    'IDX.gz under that name',
    { file: idxGz(images(8, 2), [8, 28, 28]) },
    'file',
    /is a gzip file that holds an IDX array, but/,
  ],
  ['nothing under that name', { file: Buffer.alloc(0) }, 'file', /is an empty file, but must be an archive/],
  [
    'a picture under that name',
    { file: Buffer.from('\x89PNG\r\n\x1a\n', 'latin1') },
    'file',
    /it is a PNG image, but must be/,
  ],
  [
    'text under that name',
    { file: Buffer.from('label,pixel') },
    'file',
    /it is text, but must be an archive/,
  ],
  ['an empty file', { ...four, train_images: Buffer.alloc(0) }, 'train_images', /not an npy or IDX array/],
  [
    'a picture',
    { ...four, test_images: Buffer.from('\x89PNG\r\n\x1a\n', 'latin1') },
    'test_images',
    /it is a PNG image, not an npy or IDX array.*as file/,
  ],
  [
    'training images of 32×32 and test images of 28×28',
    { ...four, train_images: npy(new Uint8Array(8 * 1024), [8, 32, 32]) },
    'test_images',
    /its images are 28×28, but those of train_images are 32×32/,
  ],
  [
    'training images in colour and grey test images',
    { ...four, train_images: npy(new Uint8Array(8 * 784 * 3), [8, 28, 28, 3]) },
    'test_images',
    /its images are 28×28, but those of train_images are 28×28×3/,
  ],
  [
    'rows that are not square',
    { ...four, train_images: npy(new Uint8Array(8 * 785), [8, 785]) },
    'train_images',
    /each image has 785 values, which is no square of 8 to 64 .* send the field imageShape/,
  ],
  [
    'no images',
    { ...four, test_images: npy(new Uint8Array(0), [0, 28, 28]) },
    'test_images',
    /has no images/,
  ],
  [
    'fewer labels than images',
    { ...four, train_labels: npy(labels(7, 2), [7]) },
    'train_labels',
    /7 labels for the 8 images of train_images/,
  ],
  [
    'rows of labels without a 1',
    { ...four, train_labels: npy(new Uint8Array(16), [8, 2]) },
    'train_labels',
    /row 0 has no 1; one-hot rows have a single 1, and 0 otherwise/,
  ],
  [
    'several labels an image',
    { ...four, train_labels: npy(new Uint8Array(16).fill(1), [8, 2]) },
    'train_labels',
    /image 0 has several labels, 0 and 1; one class an image is learnt/,
  ],
  [
    'rows of probabilities',
    { ...four, train_labels: npy(new Float32Array(16).fill(0.5), [8, 2]) },
    'train_labels',
    /row 0 has the number 0\.5; one-hot rows/,
  ],
  [
    'a label that is one number',
    { ...four, train_labels: npy(new Uint8Array(1), []) },
    'train_labels',
    /a single number/,
  ],
  [
    'a negative label',
    { ...four, train_labels: eight([0, 1, 0, 1, 0, -1, 0, 1]) },
    'train_labels',
    /label 5 is -1; labels must be whole numbers from 0 to 99/,
  ],
  [
    'half a label',
    { ...four, train_labels: eight([0, 1, 0.5, 1, 0, 1, 0, 1]) },
    'train_labels',
    /label 2 is 0\.5/,
  ],
  [
    'a label that is no number',
    { ...four, test_labels: npy(Float64Array.of(0, 1, Number.NaN, 1), [4]) },
    'test_labels',
    /label 2 is NaN/,
  ],
  [
    '1001 classes',
    { ...four, train_labels: eight([0, 1, 0, 1, 0, 1, 0, 1000]) },
    'train_labels',
    /label 7 is 1000; .* at most 1000 classes/,
  ],
  [
    'a label beyond the class names',
    { ...four, train_labels: eight([0, 1, 0, 1, 0, 1, 0, 3]) },
    'train_labels',
    /label 7 is 3; .* 3 class names/,
    { classNames: ['a', 'b', 'c'] },
  ],
  [
    'a gap in the labels',
    { ...four, train_labels: eight([0, 2, 0, 2, 0, 2, 0, 2]) },
    'train_labels',
    /class 1 \("1"\) has no training image; .* without gaps/,
  ],
  [
    'labels from 1',
    { ...four, train_labels: eight([1, 2, 1, 2, 1, 2, 1, 2]) },
    'train_labels',
    /class 0 \("0"\) has no training image/,
  ],
  [
    'a class that is only tested',
    { ...four, test_labels: npy(Uint8Array.of(0, 1, 2, 0), [4]) },
    'train_labels',
    /class 2 \("2"\) has no training image/,
  ],
  [
    'a class name without images',
    four,
    'train_labels',
    /class 2 \("c"\) has no training image/,
    { classNames: ['a', 'b', 'c'] },
  ],
  [
    'one class',
    { ...four, train_labels: eight(new Array(8).fill(0)), test_labels: npy(new Uint8Array(4), [4]) },
    'train_labels',
    /every label is 0/,
  ],
  [
    'a pixel of 256',
    { ...four, train_images: npy(Uint16Array.from(images(8, 2)).fill(256, 784 + 29, 784 + 30), [8, 28, 28]) },
    'train_images',
    /pixel \[1, 1, 1\] is 256; pixels must be from 0 to 255\./,
  ],
  [
    'a negative pixel',
    { ...four, test_images: floats(4, 3 * 784, -0.5) },
    'test_images',
    /pixel \[3, 0, 0\] is -0\.5; pixels must be from 0 to 1, because no float exceeds 1/,
  ],
  [
    'a pixel that is no number',
    { ...four, train_images: floats(8, 783, Number.NaN) },
    'train_images',
    /pixel \[0, 27, 27\] is NaN/,
  ],
  [
    'an infinite pixel',
    { ...four, train_images: floats(8, 5, Number.POSITIVE_INFINITY) },
    'train_images',
    /pixel \[0, 0, 5\] is Infinity; .* or from 0 to 1/,
  ],
  [
    'floats of 0–1 but for rounding',
    { ...four, train_images: floats(8, 5, 1.000_000_2), test_images: floats(4, 5, 1) },
    'train_images',
    /largest number is 1\.0000002384\d+, .* 0–1 .* 0–255; clip/,
  ],
  [
    'a first float up to 2',
    { ...four, test_images: floats(4, 0, 2) },
    'test_images',
    /largest number is 2, /,
  ],
  ['floats up to 2', { ...four, test_images: floats(4, 5, 2) }, 'test_images', /largest number is 2, /],
  ['big-endian numbers', { ...four, train_images: bigEndian }, 'train_images', /big-endian/],
  [
    'an array that is cut off',
    { ...four, train_images: four['train_images']!.subarray(0, -1) },
    'train_images',
    /takes 6272 bytes of data, but the file has 6271/,
  ],
  [
    'an IDX file that is cut off',
    { ...four, train_images: idx(images(8, 2), [8, 28, 28]).subarray(0, -1) },
    'train_images',
    /6272 bytes of data, but the file has 6271/,
  ],
  [
    'a packed IDX file that is cut off',
    { ...four, train_images: gzipSync(idx(images(8, 2), [8, 28, 28]).subarray(0, -1)) },
    'train_images',
    /ends 1 bytes before the end/,
  ],
  [
    'gzip that is cut off',
    { ...four, train_images: idxGz(images(8, 2), [8, 28, 28]).subarray(0, -20) },
    'train_images',
    /damaged or truncated/,
  ],
  [
    'an IDX file of floats',
    { ...four, train_images: Buffer.from([0, 0, 13, 1, 0, 0, 0, 0]) },
    'train_images',
    /32-bit floats/,
  ],
  [
    'an IDX file of no dimensions',
    { ...four, train_images: Buffer.from([0, 0, 8, 0]) },
    'train_images',
    /0 dimensions/,
  ],
  [
    'an IDX file that ends in its header',
    { ...four, train_images: Buffer.from([0, 0, 8, 3, 0, 0]) },
    'train_images',
    /ends within/,
  ],
  [
    'gzip that holds an npy array',
    { ...four, train_images: gzipSync(four['train_images']!) },
    'train_images',
    /npy arrays compressed with gzip/,
  ],
  [
    'gzip in gzip',
    { ...four, train_images: gzipSync(idxGz(images(8, 2), [8, 28, 28])) },
    'train_images',
    /not an npy or IDX array/,
  ],
];

for (const [title, files, part, message, fields] of CASES) {
  test(`rejects by name: ${title}`, async (t) => {
    await assert.rejects(
      check(t, files, fields),
      isAtelierError('invalid-dataset-file', message, `#/${part}`),
    );
  });
}

test('decompression ends at the declared size, and a large declared size is rejected', async (t) => {
  const bomb = gzipSync(Buffer.concat([idx(images(8, 2), [8, 28, 28]), Buffer.alloc(2 ** 26)]));
  assert.ok(bomb.length < 2 ** 17);
  await assert.rejects(
    check(t, { ...four, train_images: bomb }),
    isAtelierError('invalid-dataset-file', /continues after the 6272 bytes/, '#/train_images'),
  );
  const honest = {
    ...four,
    train_images: idxGz(new Uint8Array(784 * 10_000), [10_000, 28, 28]),
    train_labels: idxGz(labels(10_000, 2), [10_000]),
  };
  await assert.rejects(
    check(t, honest, {}, 2 ** 20),
    isAtelierError('invalid-dataset-file', /images take 7850000 bytes; the limit is 1048576/),
  );
  const archive = { file: npz({ ...four, train_images: npy(new Uint8Array(784 * 10_000), [10_000, 784]) }) };
  await assert.rejects(
    check(t, archive, {}, 2 ** 20),
    isAtelierError('invalid-dataset-file', /it decompresses to 78\d+ bytes; the limit is 1048576/),
  );
});

const damage = fc.record({
  changes: fc.array(fc.tuple(fc.nat({ max: 1200 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
  cut: fc.nat(),
});

for (const [form, part, bytes] of [
  ['npy', 'train_images', four['train_images']!],
  ['npy of labels', 'train_labels', four['train_labels']!],
  ['IDX', 'train_images', idx(images(8, 2), [8, 28, 28])],
  ['IDX.gz', 'train_images', idxGz(images(8, 2), [8, 28, 28])],
  ['npz', 'file', npz(four)],
  ['npz that is not packed', 'file', npz(four, 0)],
] as const) {
  test(`a damaged ${form} file is read or rejected by name`, async (t) => {
    const others = part === 'file' ? {} : four;
    await check(t, { ...others, [part]: bytes });
    let refusals = 0;
    await fc.assert(
      fc.asyncProperty(damage, async ({ changes, cut }) => {
        const changed = Uint8Array.from(bytes);
        // At the start and at the end, where the structure is.
        for (const [place, value] of changes)
          changed[place < 700 ? place % bytes.length : Math.max(0, bytes.length + 699 - place)] = value;
        const sent = cut % 4 === 0 ? changed.subarray(0, cut % bytes.length) : changed;
        try {
          await check(t, { ...others, [part]: sent });
        } catch (error) {
          assert.ok(error instanceof AtelierError && error.code === 'invalid-dataset-file', `${error}`);
          refusals++;
        }
      }),
      { numRuns: 150 },
    );
    assert.ok(refusals > 30, `${refusals} refusals`);
  });
}
