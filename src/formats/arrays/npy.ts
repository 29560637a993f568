/** Converts .npy bytes to typed arrays and back. `npy-header.ts` checks, npyjs converts. */

import { dump, parse } from 'npyjs';
import type { Labels } from '../../numerics/examples/labels.ts';
import {
  ANY_NUMBERS,
  NPY_SIGNATURE,
  NPY_VIEWS,
  type NpyDtype,
  type NpyHeader,
  type NpyRules,
  readNpyHeader,
} from './npy-header.ts';

/** Bytes may be in shared memory. */
export type NpyData<D extends NpyDtype = NpyDtype> =
  | InstanceType<(typeof NPY_VIEWS)[D]>
  | (D extends 'u1' ? Uint8Array : never);

export interface NpyArray<D extends NpyDtype = NpyDtype> {
  readonly shape: readonly number[];
  readonly dtype: D;
  /** In C order, even if the file is in Fortran order. May be a view of the input bytes. */
  readonly data: NpyData<D>;
}

/** @throws the error of the rules, by default AtelierError `malformed-body` naming the defect */
export function parseNpy<D extends NpyDtype = NpyDtype>(
  bytes: Uint8Array,
  rules: NpyRules<D> = ANY_NUMBERS as NpyRules<NpyDtype & D>,
): NpyArray<D> {
  const header = readNpyHeader(bytes, bytes.length, rules);
  // npyjs would convert float16 to float32 number by number; the platform has Float16Array.
  const { data } = parse(alignedBuffer(bytes, header), { convertFloat16: false });
  const values = header.dtype === 'f2' ? new Float16Array(data.buffer, data.byteOffset) : data;
  const { shape, dtype } = header;
  return {
    shape,
    dtype,
    data: (header.fortranOrder ? toCOrder(values as NpyData, shape) : values) as NpyData<D>,
  };
}

/** Writes an .npy file of the given shape in C order. @throws RangeError if the shape does not hold the values */
export function npyBytes(values: Labels | Float32Array | Float64Array, shape: readonly number[]): Uint8Array {
  if (shape.reduce((product, dimension) => product * dimension, 1) !== values.length) {
    throw new RangeError(`Shape (${shape.join(', ')}) does not hold ${values.length} values.`);
  }
  return new Uint8Array(dump(values, [...shape]));
}

/** The header of an .npy file in C order, the same bytes as `npyBytes` writes. */
export function npyHeader(type: '<f4' | '|u1' | '<u2', shape: readonly number[]): Uint8Array {
  const text = `{'descr':'${type}','fortran_order':False,'shape':(${shape.join()}${shape.length === 1 ? ',' : ''})}`;
  const length = 10 + text.length + 1;
  const padded = `${text}${' '.repeat(8 - (length % 8))}\n`;
  const head = Buffer.from(`${NPY_SIGNATURE}\x01\0\0\0${padded}`, 'latin1');
  head.writeUInt16LE(padded.length, 8);
  return head;
}

/**
 * npyjs requires an ArrayBuffer that holds only the file, with the data at a multiple of the item size. A file read in
 * one go is not copied. Small Buffers lie in a shared pool, and some writers do not align the data; both are copied.
 */
function alignedBuffer(bytes: Uint8Array, { dtype, dataOffset }: NpyHeader): ArrayBuffer {
  const { buffer } = bytes;
  const padding = -dataOffset & (NPY_VIEWS[dtype].BYTES_PER_ELEMENT - 1);
  if (padding === 0 && buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length) return buffer;
  const copy = new Uint8Array(bytes.length + padding);
  copy.set(bytes.subarray(0, dataOffset));
  copy.fill(0x20, dataOffset, dataOffset + padding);
  copy.set(bytes.subarray(dataOffset), dataOffset + padding);
  const lengthField = new DataView(copy.buffer);
  if (copy[6] === 1) lengthField.setUint16(8, dataOffset + padding - 10, true);
  else lengthField.setUint32(8, dataOffset + padding - 12, true);
  return copy.buffer;
}

/** Walks the target in C order. In the source, the stride of dimension d is the product of the dimensions before it. */
function toCOrder<T extends NpyData>(source: T, shape: readonly number[]): T {
  if (shape.length < 2 || source.length === 0) return source;
  const strides = shape.map((_, d) =>
    shape.slice(0, d).reduce((product, dimension) => product * dimension, 1),
  );
  const target = source.slice() as T;
  const row = shape.at(-1)!;
  const rowStride = strides.at(-1)!;
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < target.length; to += row) {
    for (let i = 0; i < row; i++) target[to + i] = source[from + i * rowStride]!;
    for (let d = shape.length - 2; d >= 0; d--) {
      index[d]!++;
      from += strides[d]!;
      if (index[d]! < shape[d]!) break;
      from -= index[d]! * strides[d]!;
      index[d] = 0;
    }
  }
  return target;
}
