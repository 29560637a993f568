/** Files of data sets in the formats that clients upload. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import type { CheckedUpload } from '../../../src/datasets/upload/finish.ts';
import { openUpload } from '../../../src/datasets/upload/open.ts';
import { type DatasetFields, datasetFieldsSchema } from '../../../src/domain/datasets/upload-form.ts';
import type { NpyData } from '../../../src/formats/arrays/npy.ts';
import { temporaryFolder } from '../fixtures.ts';

const DESCR: Readonly<Record<string, string>> = {
  Uint8Array: '|u1',
  Uint16Array: '<u2',
  Int8Array: '|i1',
  Int32Array: '<i4',
  BigInt64Array: '<i8',
  BigUint64Array: '<u8',
  Float16Array: '<f2',
  Float32Array: '<f4',
  Float64Array: '<f8',
};

/** An .npy file with the values in the given memory order. */
export function npy(values: NpyData, shape: readonly number[], order: 'C' | 'Fortran' = 'C'): Buffer {
  const fortran = order === 'Fortran' ? 'True' : 'False';
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const descr = DESCR[values.constructor.name]!;
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${tuple}, }`.padEnd(117);
  const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${text}\n`, 'latin1');
  return Buffer.concat([head, Buffer.from(values.buffer, values.byteOffset, values.byteLength)]);
}

/** An IDX file of unsigned bytes. */
export function idx(values: Uint8Array, shape: readonly number[]): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.set([0, 0, 8, shape.length]);
  for (const [d, dimension] of shape.entries()) head.writeUInt32BE(dimension, 4 + 4 * d);
  return Buffer.concat([head, values]);
}

export const idxGz = (values: Uint8Array, shape: readonly number[]): Buffer => gzipSync(idx(values, shape));

export type Files = Readonly<Record<string, Uint8Array>>;

export function npz(arrays: Files, level: 0 | 6 = 6): Uint8Array {
  return zipSync(Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes])), {
    level,
  });
}

/** Every pixel of image n is n modulo 256, except the first, which is its class. The first 256 images all differ. */
export function images(count: number, classes: number): Uint8Array {
  const pixels = new Uint8Array(count * 784);
  for (let n = 0; n < count; n++) pixels.fill(n, n * 784, (n + 1) * 784)[n * 784] = 255 - (n % classes);
  return pixels;
}

/** The labels 0, 1, …, repeated in turn. */
export function labels(count: number, classes: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, n) => n % classes);
}

/** The four files of a data set whose test images are not among its training images. */
export function small(train = 8, test = 4, classes = 2): Record<string, Buffer> {
  const all = images(train + test, classes);
  const of = (count: number) =>
    classes > 256 ? Uint16Array.from({ length: count }, (_, n) => n % classes) : labels(count, classes);
  return {
    train_images: npy(all.subarray(0, train * 784), [train, 28, 28]),
    train_labels: npy(of(train), [train]),
    test_images: npy(all.subarray(train * 784), [test, 28, 28]),
    test_labels: npy(of(test), [test]),
  };
}

/** scikit-learn's digits 0 to 6: scripts/fixtures/digits.py. */
export const digits = readFileSync(new URL('../../fixtures/datasets/digits.npz', import.meta.url));
export const DIGIT_NAMES = ['zero', 'one', 'two', 'three', 'four', 'five', 'six'];

type Fields = Partial<Omit<DatasetFields, 'name'>>;

/** Validates the files as the worker thread does. */
export async function check(
  t: TestContext,
  files: Files,
  fields: Fields = {},
  maxBytes = 2 ** 30,
): Promise<CheckedUpload> {
  const folder = temporaryFolder(t);
  const uploaded = Object.entries(files).map(([part, bytes]) => {
    const path = join(folder, part);
    writeFileSync(path, bytes);
    return { part, path, bytes: bytes.length };
  });
  const { name: _, ...defaults } = datasetFieldsSchema.parse({});
  const opened = await openUpload({ files: uploaded, fields: { ...defaults, ...fields }, maxBytes });
  return opened.read(opened.chosen!, 2 ** 20);
}
