/**
 * Strict parser of .npy headers.
 * npyjs uses three regular expressions that accept negative dimensions, NaN and truncated files, so everything is
 * validated here before npyjs reads a byte.
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { AtelierError } from '../../errors.ts';
import { describeFile, KIND_BYTES } from '../file-kinds.ts';
import type { Reject } from '../models/file-error.ts';

/** The typed arrays that hold the elements of each type. */
export const NPY_VIEWS = {
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  u8: BigUint64Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  i8: BigInt64Array,
  f2: Float16Array,
  f4: Float32Array,
  f8: Float64Array,
} as const;

export type NpyDtype = keyof typeof NPY_VIEWS;

export interface NpyHeader<D extends NpyDtype = NpyDtype> {
  readonly dtype: D;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Offset of the data. The data ends exactly at the end of the file. */
  readonly dataOffset: number;
  readonly dataBytes: number;
}

/** The types that a reader takes, and its error for all other files. */
export interface NpyRules<D extends NpyDtype = NpyDtype> {
  readonly dtypes: readonly D[];
  /**
   * Completes "dtype |O (object) is not supported; …".
   * @param dtype as in the header, such as |O or <f2
   */
  readonly advise: (dtype: string) => string;
  readonly reject: Reject;
}

/** NumPy's limit (max_header_size). */
export const NPY_MAX_HEADER_BYTES = 10_000;
/** The first bytes of a file that suffice to validate its header. */
export const NPY_HEAD_BYTES = NPY_MAX_HEADER_BYTES + 12;

/** First bytes of every .npy file, as Latin-1. */
export const NPY_SIGNATURE = '\x93NUMPY';

const ENTRY = /\s*'(\w+)'\s*:\s*('[^']*'|True|False|\([^()]*\)|\[.*\])\s*(?:,|$)/sy;
const DTYPES = Object.keys(NPY_VIEWS) as NpyDtype[];

/** Takes all types of numbers. */
export const ANY_NUMBERS: NpyRules = {
  dtypes: DTYPES,
  advise: () => `use little-endian ${DTYPES.join(' ')}. Convert it with .astype, e.g. .astype('u1')`,
  reject: (defect, cause) => {
    throw new AtelierError('malformed-body', `The .npy array cannot be read: ${defect}.`, { cause });
  },
};

/**
 * @param bytes the file, or its beginning with the whole header
 * @param fileBytes length of the whole file
 * @throws the error of the rules, by default AtelierError `malformed-body`
 */
export function readNpyHeader<D extends NpyDtype = NpyDtype>(
  bytes: Uint8Array,
  fileBytes: number = bytes.length,
  rules: NpyRules<D> = ANY_NUMBERS as NpyRules<NpyDtype & D>,
): NpyHeader<D> {
  const { reject } = rules;
  const head = bytes.subarray(0, NPY_HEAD_BYTES);
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  if (text === '') reject('it is empty');
  if (!text.startsWith(NPY_SIGNATURE)) {
    const kind = describeFile(head.subarray(0, KIND_BYTES));
    reject(kind ? `it is ${kind}, not an .npy file` : 'it does not start with the signature of an .npy file');
  }
  if (text.length < 10) reject('it ends within the header');
  const version = text.charCodeAt(6);
  if (!(version >= 1 && version <= 3))
    reject(`its format version is ${version}; versions 1 to 3 are supported`);
  const start = version === 1 ? 10 : 12;
  if (text.length < start) reject('it ends within the header');
  let length = text.charCodeAt(8) + text.charCodeAt(9) * 0x100;
  if (version > 1) length += text.charCodeAt(10) * 0x1_0000 + text.charCodeAt(11) * 0x100_0000;
  if (length > NPY_MAX_HEADER_BYTES)
    reject(`its header has ${length} bytes; the limit is ${NPY_MAX_HEADER_BYTES}`);
  if (text.length < start + length) reject('it ends within the header');

  const fields = readDictionary(text.slice(start, start + length), reject);
  const dtype = readDtype(fields.get('descr') ?? '', rules);
  const shape = readShape(fields.get('shape') ?? '', reject);
  const order = fields.get('fortran_order') ?? '';
  if (fields.size !== 3 || (order !== 'True' && order !== 'False')) {
    reject('its header must have exactly the entries descr, fortran_order (True or False) and shape');
  }
  const dataOffset = start + length;
  // A product above 2^53 is inexact, but differs from any file length; Infinity × 0 is NaN and also rejected.
  const dataBytes = shape.reduce(
    (product, dimension) => product * dimension,
    NPY_VIEWS[dtype].BYTES_PER_ELEMENT,
  );
  if (dataBytes !== fileBytes - dataOffset) {
    reject(
      `shape (${shape.join(', ')}) of ${dtype} takes ${dataBytes} bytes of data, but the file has ${fileBytes - dataOffset}`,
    );
  }
  return { dtype, fortranOrder: order === 'True', shape, dataOffset, dataBytes };
}

function readDictionary(header: string, reject: Reject): Map<string, string> {
  const dictionary = /^\{(.*)\}\s*$/s.exec(header)?.[1]?.trim();
  const fields = new Map<string, string>();
  ENTRY.lastIndex = 0;
  while (dictionary !== undefined && ENTRY.lastIndex < dictionary.length) {
    const entry = ENTRY.exec(dictionary);
    if (entry === null || fields.has(entry[1]!)) reject('its header is not the dictionary that NumPy writes');
    fields.set(entry[1]!, entry[2]!);
  }
  return fields;
}

function readDtype<D extends NpyDtype>(descr: string, { dtypes, advise, reject }: NpyRules<D>): D {
  const name = descr.startsWith("'") ? descr.slice(1, -1) : descr;
  const [, order, kind] = /^([<>|=]?)(.+)$/.exec(name) ?? [];
  if (order === '>') reject(`dtype ${name} is big-endian; save it with .astype('<${kind}')`);
  const isLittle = order === '<' || (order === '|' && kind?.endsWith('1'));
  const dtype = isLittle ? dtypes.find((each) => each === kind) : undefined;
  return dtype ?? reject(`dtype ${describeDtype(name)} is not supported; ${advise(name)}`);
}

function describeDtype(dtype: string): string {
  if (dtype.startsWith('[')) return '[…] (structured array)';
  const kind = /^[<>|=]?([a-zA-Z?])/.exec(dtype)?.[1];
  const names: Record<string, string> = {
    b: 'bool',
    '?': 'bool',
    c: 'complex',
    O: 'object',
    U: 'string',
    S: 'bytes',
    V: 'void',
  };
  const name = kind === undefined ? undefined : names[kind];
  const shown = dtype.slice(0, 20) || '(none)';
  return name === undefined ? shown : `${shown} (${name})`;
}

function readShape(tuple: string, reject: Reject): number[] {
  if (!/^\(.*\)$/s.test(tuple)) reject('its header has no shape');
  const parts = tuple
    .slice(1, -1)
    .split(',')
    .map((part) => part.trim());
  // In Python "(3)" is a number; "(3,)" and "()" are tuples.
  const closed = parts.at(-1) === '';
  if (closed) parts.pop();
  if (parts.length === 1 && !closed) reject(`its shape ${tuple.slice(0, 40)} is not a tuple`);
  return parts.map((part) => {
    const dimension = /^\d{1,16}$/.test(part) ? Number(part) : Number.NaN;
    if (!Number.isSafeInteger(dimension))
      reject(
        `dimension ${part.slice(0, 40) || '(empty)'} of its shape is not a whole number from 0 to 2^53 − 1`,
      );
    return dimension;
  });
}
