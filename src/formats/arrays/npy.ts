/** Converts .npy bytes to typed arrays and back. */
import { NPY_SIGNATURE, NPY_VIEWS, type NpyDtype, readNpyHeader } from './npy-header.ts';
import { viewBytes } from './tensor.ts';

/** Bytes may be in shared memory. */
export type NpyData = InstanceType<(typeof NPY_VIEWS)[NpyDtype]> | Uint8Array;

export interface NpyArray {
  readonly shape: readonly number[];
  readonly dtype: NpyDtype;
  /** In C order, even if the file is in Fortran order. May be a view of the input bytes. */
  readonly data: NpyData;
}

/**
 * A file read in one go is not copied. Small Buffers lie in a shared pool, and some writers do not align the data.
 * @throws AtelierError `malformed-body` naming the defect
 */
export function parseNpy(bytes: Uint8Array): NpyArray {
  const { dtype, shape, fortranOrder, dataOffset } = readNpyHeader(bytes);
  const View = NPY_VIEWS[dtype];
  const { buffer } = bytes;
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
  const data =
    isWhole && dataOffset % View.BYTES_PER_ELEMENT === 0
      ? new View(buffer, dataOffset)
      : new View(new Uint8Array(bytes.subarray(dataOffset)).buffer);
  return { shape, dtype, data: fortranOrder ? toCOrder(data, shape) : data };
}

/** Writes an .npy file of the given shape in C order. @throws RangeError if the shape does not hold the values */
export function npyBytes(
  values: Uint8Array | Float32Array | Float64Array,
  shape: readonly number[],
): Uint8Array {
  if (shape.reduce((product, dimension) => product * dimension, 1) !== values.length) {
    throw new RangeError(`Shape (${shape.join(', ')}) does not hold ${values.length} values.`);
  }
  const head = npyHeader(values instanceof Uint8Array ? '|u1' : `<f${values.BYTES_PER_ELEMENT}`, shape);
  const file = new Uint8Array(head.length + values.byteLength);
  file.set(head);
  file.set(viewBytes(values), head.length);
  return file;
}

/** The header of an .npy file in C order. @param descr byte order and type of the elements, such as `<f4` */
export function npyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const text = `{'descr':'${descr}','fortran_order':False,'shape':(${shape.join()}${shape.length === 1 ? ',' : ''})}`;
  const length = 10 + text.length + 1;
  const padded = `${text}${' '.repeat(8 - (length % 8))}\n`;
  const head = Buffer.from(`${NPY_SIGNATURE}\x01\0\0\0${padded}`, 'latin1');
  head.writeUInt16LE(padded.length, 8);
  return head;
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
