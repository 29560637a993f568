/** Reads and writes .npz archives in memory, compatible with `np.load` and `np.savez`. */
import { zipSync } from 'fflate';
import { AtelierError } from '../../errors.ts';
import { readZip } from '../archives/zip.ts';
import { quote, rejectModelFile } from '../models/file-error.ts';
import { npyBytes, parseNpy } from './npy.ts';
import { type Float32Tensor, isCounter, type Tensor } from './tensor.ts';

/** Weights hardly compress, so an archive that decompresses to more is a decompression bomb. */
export const MAX_UNPACKED_BYTES = 256 * 2 ** 20;

/** Entries are stored: deflating takes ten times as long and makes weights only 7 % smaller. */
export function npzBytes(tensors: readonly Float32Tensor[]): Uint8Array {
  const files = tensors.map(({ name, shape, data }) => [`${name}.npy`, npyBytes(data, shape)] as const);
  // The earliest (local) time of the format, so that the same arrays give the same bytes everywhere.
  return zipSync(Object.fromEntries(files), { level: 0, mtime: new Date(1980, 0, 1) });
}

/** The defect in a message of `parseNpy`. */
const MESSAGE_OF_NPY = /^The \.npy array cannot be read: (.*)\.$/s;

/** The advice in it, which is about images. */
const ADVICE_OF_NPY = /; use little-endian .*$/s;
const TYPES = 'use f2, f4 or f8';

/** Returns the arrays in archive order. @throws AtelierError `invalid-model-file` */
export function parseNpz(archive: Uint8Array): Tensor[] {
  return readZip(archive, Math.max(MAX_UNPACKED_BYTES, archive.length)).flatMap(({ name: file, bytes }) => {
    if (!file.endsWith('.npy'))
      rejectModelFile(`the entry ${quote(file)} of the archive is not an .npy array`);
    const name = file.slice(0, -'.npy'.length);
    return isCounter(name) ? [] : [parseTensor(name, bytes)];
  });
}

/**
 * Reads one .npy array of floats.
 * @param shown the array in error messages
 * @throws AtelierError `invalid-model-file`
 */
export function parseTensor(name: string, bytes: Uint8Array, shown = quote(name)): Tensor {
  const { shape, dtype, data } = parseArray(shown, bytes);
  if (data instanceof Float16Array || data instanceof Float32Array || data instanceof Float64Array) {
    return { name, shape, data };
  }
  return rejectModelFile(`${shown} has dtype ${dtype}; ${TYPES}`);
}

function parseArray(shown: string, bytes: Uint8Array) {
  try {
    return parseNpy(bytes);
  } catch (cause) {
    if (!(cause instanceof AtelierError)) throw cause;
    const defect = cause.message.replace(MESSAGE_OF_NPY, '$1');
    const isObject = defect.includes('(object)');
    const layers = isObject ? ', and one array for each layer: coefs_0, intercepts_0, coefs_1, …' : '';
    return rejectModelFile(`${shown}: ${defect.replace(ADVICE_OF_NPY, `; ${TYPES}${layers}`)}`, cause);
  }
}
