/** Numeric datatypes of the Open Inference Protocol v2 for pixels. */

/** The typed array of each datatype. The protocol is little-endian, as are the platforms of the service. */
const ARRAYS = {
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Float16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const;

export type Datatype = keyof typeof ARRAYS;

export const DATATYPES = Object.keys(ARRAYS) as Datatype[];

export const isFloating = (datatype: Datatype): boolean => datatype.startsWith('FP');

export const elementBytes = (datatype: Datatype): number => ARRAYS[datatype].BYTES_PER_ELEMENT;

/**
 * @param bytes a whole number of elements, at any offset in the body
 * @returns a copy, since the offset need not be aligned; a view for UINT8
 */
export function decodeElements(datatype: Datatype, bytes: Uint8Array): ArrayLike<number | bigint> {
  if (datatype === 'UINT8') return bytes;
  const { buffer } = new Uint8Array(bytes);
  return new ARRAYS[datatype](buffer);
}
