import assert from 'node:assert/strict';
import { test } from 'node:test';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import * as npyImages from '../../src/images/npy.ts';
import type { PixelOptions } from '../../src/images/pixel-range.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../src/numerics/network/image-shape.ts';
import { IMAGES, isAtelierError, npyFixture } from '../datasets/fixtures.ts';

const decodeNpyFiles = (files: readonly Uint8Array[], options?: PixelOptions) =>
  npyImages.decodeNpyFiles(files, DEFAULT_IMAGE_SHAPE, options);
const decodeNpy = (bytes: Uint8Array, options?: PixelOptions) => decodeNpyFiles([bytes], options)[0]!;

const FORMS = [
  'u1',
  'u1-fortran',
  'i8',
  'f4-255',
  'f2',
  'f2-divided',
  'f4',
  'f4-multiplied',
  'f8',
  'f8-widened',
];
for (const form of FORMS) {
  test(`images written by NumPy as ${form} give the same bytes`, async () => {
    assert.deepEqual(decodeNpy(await npyFixture(`pictures-${form}`)), { count: 2, pixels: IMAGES });
  });
}

const image = (fill: number) => new Float32Array(784).fill(fill);

test('one image may have shape (784), (28, 28) or (28, 28, 1), many one dimension more', () => {
  for (const shape of [[784], [28, 28], [28, 28, 1], [1, 784], [1, 28, 28], [1, 28, 28, 1]]) {
    assert.equal(decodeNpy(npyBytes(new Uint8Array(784), shape)).count, 1);
  }
});

test('rejects other shapes and lists the allowed ones', () => {
  const sized = (shape: number[]) => npyBytes(new Uint8Array(shape.reduce((a, b) => a * b, 1)), shape);
  for (const shape of [
    [],
    [783],
    [784, 1],
    [28, 27],
    [0, 784],
    [0, 28, 28],
    [1, 28, 28, 3],
    [28, 28, 1, 1],
    [32, 32],
  ]) {
    assert.throws(() => decodeNpy(sized(shape)), isAtelierError('invalid-image-size', /\(n, 28, 28\)/));
  }
});

test('floats up to 1 are 0–1, floats with one number greater than 2 are 0–255', () => {
  assert.deepEqual(decodeNpy(npyBytes(image(1), [784])).pixels, new Uint8Array(784).fill(255));
  const values = image(1);
  values[0] = 3;
  assert.deepEqual(decodeNpy(npyBytes(values, [784])).pixels, new Uint8Array(values));
});

test('floats with a maximum between 1 and 2 are ambiguous without ?pixels=', () => {
  for (const maximum of [1.000_000_2, 1.5, 2]) {
    const values = new Float64Array(784).fill(0.5).with(7, maximum);
    const files = [npyBytes(image(1), [784]), npyBytes(values, [784])];
    const neither = isAtelierError('ambiguous-pixel-range', new RegExp(`${maximum}, .* \\?pixels=0-255`));
    assert.throws(() => decodeNpyFiles(files), neither);
    assert.equal(decodeNpyFiles(files, { pixels: '0-255' })[1]!.pixels[7], Math.fround(maximum));
    // One image that is certainly 0–255 decides the range of all.
    const whole = decodeNpyFiles([...files, npyBytes(image(200), [784])]);
    assert.equal(whole[1]!.pixels[7], Math.fround(maximum));
  }
  assert.equal(decodeNpy(npyBytes(image(2.02), [784])).pixels[0], Math.fround(2.02));
});

test('?pixels= overrides the inferred scale', () => {
  assert.deepEqual(decodeNpy(npyBytes(image(0.5), [784]), { pixels: '0-255' }).pixels, image(0.5));
  const ones = npyBytes(new Uint8Array(784).fill(1), [784]);
  assert.deepEqual(decodeNpy(ones, { pixels: '0-1' }).pixels, new Uint8Array(784).fill(255));
  assert.throws(
    () => decodeNpy(npyBytes(image(2), [784]), { pixels: '0-1' }),
    isAtelierError('invalid-pixels', /0 to 1/),
  );
});

test('keeps fractional pixels', () => {
  assert.deepEqual(decodeNpy(npyBytes(image(0.5), [784])).pixels, image(127.5));
});

test('infers one scale for several files', () => {
  const files = [
    npyBytes(image(1), [784]),
    npyBytes(image(200), [784]),
    npyBytes(new Uint8Array(784), [784]),
  ];
  const first = decodeNpyFiles(files)[0]!;
  assert.deepEqual(first.pixels, new Uint8Array(784).fill(1));
  assert.deepEqual(decodeNpyFiles([files[0]!, files[2]!])[0]!.pixels, new Uint8Array(784).fill(255));
});

test('rejects an invalid pixel with its position', () => {
  for (const value of [Number.NaN, Infinity, -Infinity, -1e-9, 255.001]) {
    const values = new Float64Array(2 * 784);
    values[784 + 28 + 2] = value;
    const place = isAtelierError('invalid-pixels', new RegExp(`pixel at \\[1, 1, 2\\] is ${value}`));
    assert.throws(() => decodeNpy(npyBytes(values, [2, 28, 28])), place);
  }
});

test('rejects an integer above 255', async () => {
  const bytes = Buffer.from(await npyFixture('pictures-i8'));
  bytes.writeBigInt64LE(2n ** 62n, bytes.length - 8);
  assert.throws(
    () => decodeNpy(bytes),
    isAtelierError('invalid-pixels', /\[1, 783\] is 4611686018427387904/),
  );
});
