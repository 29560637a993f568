import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readIdxHeader } from '../../../../src/datasets/upload/arrays/idx-header.ts';
import {
  findMaximum,
  fromFortranOrder,
  readImages,
} from '../../../../src/datasets/upload/arrays/read-images.ts';
import { countLabels, readLabels } from '../../../../src/datasets/upload/arrays/read-labels.ts';
import { type ArrayReader, openArrayReader } from '../../../../src/datasets/upload/arrays/reader.ts';
import type { ByteSource } from '../../../../src/datasets/upload/byte-source.ts';
import { npyBytes } from '../../../../src/formats/arrays/npy.ts';
import { isAtelierError } from '../../fixtures.ts';

/** Bytes that arrive in chunks. */
const source = (bytes: Uint8Array, chunk = bytes.length || 1, known = true): ByteSource => ({
  part: 'x',
  bytes: known ? bytes.length : null,
  async *open() {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
  },
});
const refusal = (run: () => unknown, message: RegExp) =>
  assert.rejects(async () => run(), isAtelierError('invalid-dataset-file', message, '#/x'));

function idx(dimensions: readonly number[], data: number, type = 8): Buffer {
  const head = Buffer.alloc(4 + 4 * dimensions.length);
  head.set([0, 0, type, dimensions.length]);
  for (const [d, size] of dimensions.entries()) head.writeUInt32BE(size, 4 + 4 * d);
  return Buffer.concat([head, Buffer.from(Array.from({ length: data }, (_, i) => i % 251))]);
}

test('an IDX header has one to four dimensions, and as many bytes of data', async () => {
  assert.deepEqual(readIdxHeader('x', idx([2, 3], 6), 18), {
    ...{ dtype: 'u1', shape: [2, 3], fortranOrder: false, dataOffset: 12, dataBytes: 6 },
  });
  assert.deepEqual(readIdxHeader('x', idx([1, 2, 3, 4], 0), null).shape, [1, 2, 3, 4]);
  assert.deepEqual(readIdxHeader('x', idx([6], 6), 14).shape, [6]);
  const read = (bytes: Buffer, size: number | null = bytes.length) => readIdxHeader('x', bytes, size);
  await refusal(() => read(idx([6], 6, 13)), /declares 32-bit floats, but only unsigned bytes are supported/);
  await refusal(() => read(idx([6], 6, 7)), /declares an unknown type/);
  await refusal(() => read(idx([], 0)), /declares 0 dimensions; 1 to 4 are supported/);
  await refusal(() => read(idx([1, 1, 1, 1, 1], 1)), /declares 5 dimensions/);
  await refusal(() => read(idx([2, 3], 0).subarray(0, 11), null), /it ends within its IDX header/);
  await refusal(() => read(idx([2, 3], 5)), /declares 6 bytes of data, but the file has 5/);
  await refusal(() => read(idx([2, 3], 7)), /declares 6 bytes of data, but the file has 7/);
});

test('an array is read in chunks of 256 KiB, however its bytes arrive', async () => {
  const values = Float32Array.from({ length: 100_000 }, (_, i) => i);
  for (const chunk of [1000, 262_143, 262_144, 1_000_000]) {
    const reader = await openArrayReader(source(npyBytes(values, [100_000]), chunk));
    const found: number[] = [];
    const sizes: number[] = [];
    for await (const each of reader.chunks()) {
      sizes.push(each.length);
      for (const value of each) found.push(Number(value));
    }
    assert.deepEqual(sizes, [65_536, 34_464]);
    assert.deepEqual(Float32Array.from(found), values);
  }
  const whole = await openArrayReader(source(npyBytes(new Uint8Array(2 ** 18), [2 ** 18]), 999));
  assert.deepEqual((await Array.fromAsync(whole.chunks())).length, 1);
});

test('IDX may be compressed with gzip, and its end is found while it is read', async () => {
  const read = async (bytes: Uint8Array) => {
    const reader = await openArrayReader(source(gzipSync(bytes), 7));
    const found: number[] = [];
    for await (const each of reader.chunks()) for (const value of each) found.push(Number(value));
    return [reader.format, ...found];
  };
  assert.deepEqual(await read(idx([2, 2], 4)), ['idx', 0, 1, 2, 3]);
  await refusal(() => read(idx([2, 2], 3)), /it ends 1 bytes before the end of its data/);
  await refusal(() => read(idx([2, 2], 5)), /it continues after the 4 bytes of its data/);
  await refusal(
    () => read(npyBytes(new Uint8Array(4), [4])),
    /npy arrays compressed with gzip are not supported; send the array uncompressed, or in an npz/,
  );
  await refusal(
    () => openArrayReader(source(Buffer.from('%PDF-1.7'))),
    /it is a PDF document, not an npy or IDX array/,
  );
});

/** An array in memory, in two chunks. */
const reader = (
  values: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
  shape: readonly number[],
  changes: Partial<ArrayReader> = {},
): ArrayReader => ({
  ...{
    part: 'x',
    format: 'npy',
    dtype: values instanceof Uint8Array ? 'u1' : 'f4',
    shape,
    fortranOrder: false,
  },
  async *chunks(): AsyncGenerator<Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>> {
    yield values.subarray(0, 5);
    yield values.subarray(5);
  },
  ...changes,
});

test('indices of Fortran order become those of C order', () => {
  const toC = fromFortranOrder([2, 3, 4]);
  // numpy.arange(24).reshape(2, 3, 4).ravel(order='F')
  const expected = [0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23];
  assert.deepEqual(
    expected.map((_, i) => toC(i)),
    expected,
  );
});

test('values are placed row by row with channels last, and their range is found', async () => {
  const images = { count: 1, isPlanar: true, image: [2, 2, 3] as const };
  const planes = Uint8Array.of(1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24);
  assert.deepEqual(await readImages(reader(planes, [1, 3, 2, 2]), images, false), {
    pixels: Uint8Array.of(1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24),
    ...{ rounded: 0, minimum: 1, maximum: 24 },
  });
  const columns = reader(Uint8Array.of(1, 5, 3, 7, 2, 6, 4, 8), [2, 2, 2], { fortranOrder: true });
  const grey = { count: 2, isPlanar: false, image: [2, 2] as const };
  assert.deepEqual([...(await readImages(columns, grey, false)).pixels], [1, 2, 3, 4, 5, 6, 7, 8]);
  const floats = reader(Float32Array.of(0, 1, 0.5, 0.25, 0, 0, 0, 0), [2, 4]);
  const unit = await readImages(floats, grey, true);
  // 127.5 and 63.75 are rounded, halves up.
  assert.deepEqual([[...unit.pixels.subarray(0, 4)], unit.rounded], [[0, 255, 128, 64], 2]);
  await refusal(
    () => readImages(reader(Float32Array.of(0, 1, 2, 3, 4, 5, 256), [2, 4]), grey, false),
    /pixel \[1, 1, 0\] is 256; pixels must be from 0 to 255, or from 0 to 1 if no float exceeds 1/,
  );
  await refusal(
    () => readImages(reader(Float32Array.of(0, 1.5), [2, 4]), grey, true),
    /pixel \[0, 0, 1\] is 1\.5; pixels must be from 0 to 1, because no float exceeds 1/,
  );
  assert.equal(await findMaximum(reader(Float32Array.of(1, 3, 2, 0, 0, 9), [6]), 3), 9);
  assert.equal(await findMaximum(reader(Float32Array.of(1, 4, 2, 0, 0, 9), [6]), 3), 4);
});

test('labels are whole numbers below the number of classes', async () => {
  const labels = Float32Array.of(2, 0, 1, 2, 1, 5);
  assert.deepEqual(await readLabels(reader(labels, [6]), null), {
    ...{ labels: Uint16Array.from(labels), minimum: 0, maximum: 5 },
  });
  assert.equal((await readLabels(reader(labels, [6, 1]), 6)).maximum, 5);
  await refusal(
    () => readLabels(reader(labels, [6]), 5),
    /label 5 is 5; labels must be whole numbers from 0 to 4, since there are 5 class names/,
  );
  await refusal(
    () => readLabels(reader(Float32Array.of(999, 1000), [2]), null),
    /label 1 is 1000; labels must be whole numbers from 0 to 999, since there are at most 1000 classes/,
  );
  await refusal(() => readLabels(reader(Float32Array.of(0.5), [1]), null), /label 0 is 0\.5/);
  const count = (shape: readonly number[]) => countLabels(reader(new Uint8Array(1), shape));
  assert.deepEqual([count([7]), count([7, 1]), count([7, 10])], [7, 7, 7]);
  await refusal(() => count([]), /it is a single number/);
  await refusal(
    () => count([7, 1, 1]),
    /its shape is \(7, 1, 1\), but must be \(n,\), \(n, 1\) or one-hot \(n, classes\)/,
  );
});
