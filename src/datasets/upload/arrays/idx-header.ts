/** Parser of IDX headers, the format of MNIST: http://yann.lecun.com/exdb/mnist/ */

import type { NpyHeader } from '../../../formats/arrays/npy-header.ts';
import { rejectPart } from '../reject-part.ts';

const UNSIGNED_BYTE = 0x08;
const UNSUPPORTED_TYPES: Readonly<Record<number, string>> = {
  9: 'signed bytes',
  11: '16-bit integers',
  12: '32-bit integers',
  13: '32-bit floats',
  14: '64-bit floats',
};
const MAX_DIMENSIONS = 4;

/**
 * @param head two zero bytes, the type, the number of dimensions, then each dimension as a big-endian 32-bit integer
 * @param fileBytes length of the whole file; null if unknown
 * @throws AtelierError `invalid-dataset-file` if the header is invalid or does not fit the length of the file
 */
export function readIdxHeader(part: string, head: Buffer, fileBytes: number | null): NpyHeader {
  const [, , type, dimensions] = head;
  if (type !== UNSIGNED_BYTE) {
    const found = UNSUPPORTED_TYPES[type ?? -1] ?? 'an unknown type';
    rejectPart(
      part,
      `its IDX header declares ${found}, but only unsigned bytes are supported. Send other numbers as npy`,
    );
  }
  const dataOffset = 4 + 4 * dimensions!;
  if (!(dimensions! >= 1 && dimensions! <= MAX_DIMENSIONS)) {
    rejectPart(
      part,
      `its IDX header declares ${dimensions} dimensions; 1 to ${MAX_DIMENSIONS} are supported`,
    );
  }
  if (head.length < dataOffset) rejectPart(part, 'it ends within its IDX header');
  const shape = Array.from({ length: dimensions! }, (_, d) => head.readUInt32BE(4 + 4 * d));
  const dataBytes = shape.reduce((product, dimension) => product * dimension, 1);
  if (fileBytes !== null && fileBytes !== dataOffset + dataBytes) {
    rejectPart(
      part,
      `its IDX header declares ${dataBytes} bytes of data, but the file has ${fileBytes - dataOffset}`,
    );
  }
  return { dtype: 'u1', shape, fortranOrder: false, dataOffset, dataBytes };
}
