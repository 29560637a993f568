import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import type { CheckedUpload } from '../../../../src/datasets/upload/finish.ts';
import { parseNpy } from '../../../../src/formats/arrays/npy.ts';
import type { Labels } from '../../../../src/numerics/examples/labels.ts';
import { asZip64 } from '../../../formats/zip64-archive.ts';
import { DATA_DIR } from '../../../support/data-directory.ts';
import { isAtelierError } from '../../fixtures.ts';
import { check, digits, type Files, idx, idxGz, images, labels, npy, npz, small } from '../fixtures.ts';

const real = (kind: string) =>
  parseNpy(readFileSync(join(DATA_DIR, `fashion_mnist_test_${kind}.npy`))).data as Uint8Array;
const IMAGES = real('images');
const LABELS = real('labels');
const COUNT = LABELS.length;

const train = (pixels: Uint8Array, of: Uint8Array): Files => ({ train_images: pixels, train_labels: of });

test('the test split has the fraction of each class, and both splits contain all images', async (t) => {
  const files = train(npy(IMAGES, [COUNT, 784]), npy(LABELS, [COUNT]));
  const { tensors, splits, report } = await check(t, files, { testFraction: 0.2, seed: 7 });
  assert.deepEqual(splits.train, { examples: 8000, examplesPerClass: new Array(10).fill(800) });
  assert.deepEqual(splits.test, { examples: 2000, examplesPerClass: new Array(10).fill(200) });
  assert.deepEqual(report.heldOut, { fraction: 0.2, seed: 7 });
  const rows = (pixels: Uint8Array, of: Labels) =>
    Array.from(
      of,
      (label, n) => `${label} ${Buffer.from(pixels.subarray(n * 784, (n + 1) * 784)).toString('latin1')}`,
    );
  const together = [tensors.train, tensors.test].flatMap((split) => rows(split.pixels, split.labels));
  assert.deepEqual(together.toSorted(), rows(IMAGES, LABELS).toSorted());
  const other = await check(t, files, { testFraction: 0.2, seed: 8 });
  assert.notDeepEqual(other.tensors.test.labels.join(), tensors.test.labels.join());
});

test('reads the digits of scikit-learn without warnings', async (t) => {
  const { splits, report, classNames } = await check(t, { file: digits });
  assert.deepEqual(splits.train.examplesPerClass, [133, 136, 133, 137, 136, 137, 136]);
  assert.deepEqual(splits.test.examplesPerClass, [45, 46, 44, 46, 45, 45, 45]);
  assert.equal(classNames.length, 7);
  assert.deepEqual(report, {
    arrays: [
      { part: 'x_train', format: 'npy', dtype: 'u1', shape: [948, 28, 28], minimum: 0, maximum: 255 },
      { part: 'y_train', format: 'npy', dtype: 'u1', shape: [948], minimum: 0, maximum: 6 },
      { part: 'x_test', format: 'npy', dtype: 'u1', shape: [316, 28, 28], minimum: 0, maximum: 255 },
      { part: 'y_test', format: 'npy', dtype: 'u1', shape: [316], minimum: 0, maximum: 6 },
    ],
    pixels: { range: '0-255', rounded: 0 },
    heldOut: null,
    duplicates: {
      train: { images: 0, withOtherLabel: 0, first: [] },
      test: { images: 0, withOtherLabel: 0, first: [] },
      across: { images: 0, withOtherLabel: 0, first: [] },
    },
    constantImages: { train: 0, test: 0 },
    warnings: [],
  });
});

test('reads Zip64 archives', async (t) => {
  const pixels = IMAGES.subarray(0, 1500 * 784);
  const arrays = train(npy(pixels, [1500, 784]), npy(LABELS.subarray(0, 1500), [1500]));
  for (const level of [0, 6] as const) {
    const { tensors } = await check(t, { file: asZip64(npz(arrays, level)) }, { testFraction: 0.2 });
    assert.deepEqual(tensors.train.pixels.length + tensors.test.pixels.length, pixels.length);
  }
});

test('accepts 2 and 1,000 classes', async (t) => {
  for (const classes of [2, 1000]) {
    const { splits } = await check(t, small(2 * classes, classes, classes));
    assert.deepEqual(splits.train.examplesPerClass, new Array(classes).fill(2));
  }
});

test('rounds floats between greys to the nearest and counts them', async (t) => {
  for (const [scale, range] of [
    [1, '0-255'],
    [1 / 255, '0-1'],
  ] as const) {
    const pixels = Float64Array.from(images(4, 2), (pixel) => pixel * scale);
    pixels.set([100.4 * scale, 100.6 * scale, 254.9 * scale], 10);
    const files = { ...small(), train_images: npy(pixels, [4, 784]), train_labels: npy(labels(4, 2), [4]) };
    const { tensors, report } = await check(t, files);
    assert.deepEqual(report.pixels, { range, rounded: 3 });
    assert.deepEqual([...tensors.train.pixels.subarray(10, 13)], [100, 101, 255]);
    assert.deepEqual(codes(report), ['rounded-pixels']);
  }
});

const codes = ({ warnings }: CheckedUpload['report']) => warnings.map(({ code }) => code);

test('counts duplicates within and across splits and lists the first', async (t) => {
  const pixels = images(16, 2);
  const copy = (to: number, from: number) => pixels.copyWithin(to * 784, from * 784, (from + 1) * 784);
  // Values 0–9 are training images, 10–15 test images.
  for (const [to, from] of [
    [4, 0],
    [5, 0],
    [9, 3],
    [12, 11],
    [14, 2],
    [15, 3],
  ] as const)
    copy(to, from);
  const { report } = await check(t, {
    train_images: npy(pixels.subarray(0, 10 * 784), [10, 784]),
    train_labels: npy(labels(10, 2), [10]),
    test_images: npy(pixels.subarray(10 * 784), [6, 784]),
    test_labels: npy(labels(6, 2), [6]),
  });
  assert.deepEqual(report.duplicates, {
    train: {
      images: 3,
      withOtherLabel: 1,
      first: [
        [0, 4],
        [0, 5],
        [3, 9],
      ],
    },
    test: { images: 1, withOtherLabel: 1, first: [[1, 2]] },
    across: {
      images: 2,
      withOtherLabel: 0,
      first: [
        [2, 4],
        [3, 5],
      ],
    },
  });
  assert.deepEqual(codes(report), ['test-images-in-train', 'contradictory-labels']);
  assert.match(report.warnings[0]!.message, /^2 of 6 test images/);
});

test('lists five of many duplicates', async (t) => {
  const files = { ...small(), train_images: npy(new Uint8Array(8 * 784), [8, 784]) };
  const { report } = await check(t, files);
  assert.equal(report.duplicates.train.images, 7);
  assert.equal(report.duplicates.train.first.length, 5);
  assert.deepEqual(report.constantImages, { train: 8, test: 0 });
  assert.deepEqual(codes(report), ['dark-images', 'contradictory-labels', 'constant-images']);
});

test('warns about pixels on a smaller scale than 0–255, such as the pixels of load_digits', async (t) => {
  const at = async (white: number, type: 'bytes' | 'floats') => {
    const scale = (bytes: Uint8Array) => {
      const scaled = Float64Array.from(bytes, (value) => (value % 2 === 0 ? 0 : white));
      return type === 'floats' ? scaled : Uint8Array.from(scaled);
    };
    const files = {
      ...small(),
      train_images: npy(scale(images(8, 8)), [8, 784]),
      test_images: npy(scale(images(4, 9)), [4, 784]),
    };
    const { report } = await check(t, files);
    return report.warnings.filter(({ code }) => code === 'dark-images').map(({ message }) => message);
  };
  const expected =
    'No pixel of train_images is greater than 16 on the scale 0–255. If 16 is white, multiply by 255 / 16.';
  assert.deepEqual(await at(16, 'bytes'), [expected]);
  assert.deepEqual(await at(16, 'floats'), [expected]);
  assert.match((await at(1, 'bytes')).join(), /greater than 1 .* send floats/);
  assert.deepEqual([await at(1, 'floats'), await at(33, 'bytes'), await at(33, 'floats')], [[], [], []]);
});

test('warns about unbalanced classes and a class without test images', async (t) => {
  const few = labels(22, 2).fill(0);
  few.set([1, 1]);
  const one = {
    train_images: npy(images(22, 22), [22, 784]),
    test_images: npy(images(30, 2).subarray(28 * 784), [2, 784]),
  };
  const tenth = await check(t, { ...one, train_labels: npy(few, [22]), test_labels: npy(labels(2, 2), [2]) });
  assert.deepEqual(codes(tenth.report), []);
  few[0] = 0;
  const fewer = await check(
    t,
    { ...one, train_labels: npy(few, [22]), test_labels: npy(new Uint8Array(2), [2]) },
    { classNames: ['cat', 'dog'] },
  );
  assert.deepEqual(codes(fewer.report), ['unbalanced-classes', 'class-not-tested']);
  assert.match(
    fewer.report.warnings[0]!.message,
    /^Class 1 \("dog"\) has 1 training images, but class 0 \("cat"\) has 21/,
  );
  assert.equal(fewer.report.warnings[1]!.message, 'Class 1 ("dog") has no test image.');
  const classNames = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const files = { ...one, train_labels: npy(labels(22, 7), [22]), test_labels: npy(new Uint8Array(2), [2]) };
  const { report } = await check(t, files, { classNames });
  assert.equal(
    report.warnings.find(({ code }) => code === 'class-not-tested')?.message,
    '6 classes have no test image: 1 ("b"), 2 ("c"), 3 ("d"), 4 ("e"), 5 ("f") and 1 more.',
  );
});

for (const [what, names] of [
  ['Keras', ['x_train', 'y_train', 'x_test', 'y_test']],
  ['others', ['X_train', 'Training-Targets', 'images_testing', 'test.target']],
  [
    'MNIST',
    [
      'train-images-idx3-ubyte',
      'train-labels-idx1-ubyte',
      't10k-images-idx3-ubyte',
      't10k-labels-idx1-ubyte',
    ],
  ],
] as const) {
  test(`finds arrays by the names of ${what}`, async (t) => {
    const four = Object.values(small());
    const file = npz(Object.fromEntries(names.map((name, n) => [name, four[n]!])));
    const values = ({ tensors: { train, test } }: CheckedUpload) =>
      [train, test].map(({ pixels, labels }) => [pixels, labels]);
    assert.deepEqual(values(await check(t, { file })), values(await check(t, small())));
  });
}

test('reads the arrays of scikit-learn, and leaves out its descriptions', async (t) => {
  const { train_images, train_labels } = small() as { train_images: Buffer; train_labels: Buffer };
  const file = npz({
    data: train_images,
    images: train_images,
    target: train_labels,
    DESCR: npy(new Uint8Array(1), [1]),
  });
  const { splits } = await check(t, { file }, { testFraction: 0.5 });
  assert.equal(splits.train.examples + splits.test.examples, 8);
});

test('reads one-hot rows in both orders of memory', async (t) => {
  const rows = (order: 'C' | 'Fortran') =>
    npy(
      Float32Array.from({ length: 16 }, (_, i) => {
        const [image, label] = order === 'C' ? [i >> 1, i & 1] : [i & 7, i >> 3];
        return image % 2 === label ? 1 : 0;
      }),
      [8, 2],
      order,
    );
  const expected = (await check(t, small())).tensors.train.labels;
  for (const order of ['C', 'Fortran'] as const) {
    const { tensors } = await check(t, { ...small(), train_labels: rows(order) });
    assert.deepEqual(tensors.train.labels, expected);
  }
});

test('reads IDX files compressed with gzip in an archive', async (t) => {
  const archive = zipSync({
    'm/train-images-idx3-ubyte.gz': idxGz(images(4, 2), [4, 28, 28]),
    'm/train-labels.idx1-ubyte': idx(labels(4, 2), [4]),
  });
  const { splits } = await check(t, { file: archive }, { testFraction: 0.5 });
  assert.deepEqual([splits.train.examples, splits.test.examples], [2, 2]);
});

test('reads the arrays of MedMNIST, with a validation split and labels of shape (n, 1)', async (t) => {
  const { train_images, test_images, test_labels } = small() as Record<string, Buffer> as Record<
    'train_images' | 'test_images' | 'test_labels',
    Buffer
  >;
  const column = npy(labels(8, 2), [8, 1]);
  const validation = { val_images: npy(images(2, 2), [2, 28, 28]), val_labels: npy(labels(2, 2), [2, 1]) };
  const file = npz({ train_images, train_labels: column, ...validation, test_images, test_labels });
  const { splits, tensors } = await check(t, { file });
  assert.deepEqual([splits.train.examples, splits.validation?.examples, splits.test.examples], [8, 2, 4]);
  assert.deepEqual(tensors.validation?.labels, labels(2, 2));
});

test('validation arrays give a validation split, under both of their names, with or without test images', async (t) => {
  const part = (start: number, count: number) => ({
    pixels: npy(images(60, 2).slice(start * 784, (start + count) * 784), [count, 784]),
    labels: npy(labels(count, 2), [count]),
  });
  const [trained, held, tested] = [part(0, 40), part(40, 10), part(50, 10)];
  const named = (style: string, validation: string): Files => ({
    ...train(trained.pixels, trained.labels),
    [style.replace('?', 'val')]: held.pixels,
    [validation]: held.labels,
  });
  const files: Files = {
    ...named('?_images', 'val_labels'),
    test_images: tested.pixels,
    test_labels: tested.labels,
  };
  const { tensors, splits, report } = await check(t, files);
  assert.deepEqual(tensors.validation!.pixels, images(60, 2).slice(40 * 784, 50 * 784));
  assert.deepEqual(splits.validation, { examples: 10, examplesPerClass: [5, 5] });
  assert.deepEqual(
    report.arrays.map(({ part: name }) => name),
    ['train_images', 'train_labels', 'val_images', 'val_labels', 'test_images', 'test_labels'],
  );
  const keras = { file: npz(named('x_?', 'y_val')) };
  const split = await check(t, keras, { testFraction: 0.25 });
  const { pixels, labels: ofPixels } = split.tensors.validation!;
  assert.deepEqual([pixels, ofPixels], [tensors.validation!.pixels, tensors.validation!.labels]);
  assert.deepEqual([split.splits.train.examples, split.splits.test.examples], [30, 10]);
  const { val_labels: _, ...unlabelled } = files;
  const missing = isAtelierError('invalid-dataset-file', /missing, but val_images was sent/, '#/val_labels');
  await assert.rejects(check(t, unlabelled), missing);
});
