/** Reads and writes .npz archives in memory, compatible with `np.load` and `np.savez`. */
import { zipSync } from 'fflate';
import { memorySource, type RangeSource } from '../archives/range-source.ts';
import { readEntry } from '../archives/zip.ts';
import { findDirectory, readDirectory } from '../archives/zip-directory.ts';
import type { ZipEntry } from '../archives/zip-entries.ts';
import { quote, type Reject, rejectModelFile } from '../models/file-error.ts';
import { npyBytes, parseNpy } from './npy.ts';
import type { NpyRules } from './npy-header.ts';
import { type Float32Tensor, isCounter, MAX_TENSORS, type Tensor } from './tensor.ts';

/** Weights hardly compress, so an archive that decompresses to more is a decompression bomb. */
export const MAX_UNPACKED_BYTES = 256 * 2 ** 20;

/** Entries are stored: deflating takes ten times as long and makes weights only 7 % smaller. */
export function npzBytes(tensors: readonly Float32Tensor[]): Uint8Array {
  const files = tensors.map(({ name, shape, data }) => [`${name}.npy`, npyBytes(data, shape)] as const);
  // The earliest (local) time of the format, so that the same arrays give the same bytes everywhere.
  return zipSync(Object.fromEntries(files), { level: 0, mtime: new Date(1980, 0, 1) });
}

/** How a reader takes arrays of floats. */
export type FloatRules = NpyRules<'f2' | 'f4' | 'f8'>;

const WEIGHTS: FloatRules = {
  dtypes: ['f2', 'f4', 'f8'],
  advise: (dtype) => {
    const isObject = dtype.endsWith('O');
    return `use f2, f4 or f8${isObject ? ', and one array for each layer: coefs_0, intercepts_0, coefs_1, …' : ''}`;
  },
  reject: rejectModelFile,
};

/**
 * Returns the arrays in archive order.
 * @throws the error of the rules, by default AtelierError `invalid-model-file`
 */
export function parseNpz(archive: Uint8Array, rules = WEIGHTS): Tensor[] {
  return parseArrays(unpackNpz(archive, rules.reject), rules);
}

/** The .npy arrays by their names in archive order, not parsed yet. */
export function unpackNpz(bytes: Uint8Array, reject: Reject = rejectModelFile): Map<string, Uint8Array> {
  const archive = memorySource(bytes, reject);
  return new Map(
    readNpzDirectory(archive, Math.max(MAX_UNPACKED_BYTES, bytes.length)).map((entry) => {
      const { name } = entry;
      const array = readEntry(archive, entry);
      if (!name.endsWith('.npy')) reject(`the entry ${quote(name)} of the archive is not an .npy array`);
      return [name.slice(0, -'.npy'.length), array];
    }),
  );
}

/** @param maxBytes limit of all arrays together, decompressed */
export function readNpzDirectory(archive: RangeSource, maxBytes: number): ZipEntry[] {
  const range = findDirectory(archive);
  if (range.count > MAX_TENSORS)
    archive.reject(`the archive has ${range.count} entries; the limit is ${MAX_TENSORS}`);
  return readDirectory(archive, range, maxBytes);
}

export function parseArrays(arrays: ReadonlyMap<string, Uint8Array>, rules = WEIGHTS): Tensor[] {
  return [...arrays].flatMap(([name, bytes]) => (isCounter(name) ? [] : [parseTensor(name, bytes, rules)]));
}

/**
 * Reads one .npy array of floats.
 * @param shown the array in error messages
 * @throws the error of the rules, by default AtelierError `invalid-model-file`
 */
export function parseTensor(name: string, bytes: Uint8Array, rules = WEIGHTS, shown = quote(name)): Tensor {
  const reject: Reject = (defect, cause) => rules.reject(`${shown}: ${defect}`, cause);
  const { shape, data } = parseNpy(bytes, { ...rules, reject });
  return { name, shape, data };
}
