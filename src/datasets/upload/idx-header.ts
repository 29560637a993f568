/** The header of an IDX file, as MNIST and Fashion-MNIST are published. Format: http://yann.lecun.com/exdb/mnist/ */

import type { ArrayHeader } from './array-header.ts';
import { rejectPart } from './reject-part.ts';

const UNSIGNED_BYTE = 0x08;
const OTHERS: Readonly<Record<number, string>> = {
  9: 'signed bytes',
  11: '16-bit integers',
  12: '32-bit integers',
  13: '32-bit floats',
  14: '64-bit floats',
};
const MAX_DIMENSIONS = 4;

/**
 * @param head the first bytes: two zeros, the type, the number of dimensions, and each as a big-endian 32-bit integer
 * @param fileBytes length of the whole file; null where it is not known yet
 */
export function readIdxHeader(part: string, head: Buffer, fileBytes: number | null): ArrayHeader {
  const [, , type, dimensions] = head;
  if (type !== UNSIGNED_BYTE) {
    const found = OTHERS[type ?? -1] ?? 'no type that there is';
    rejectPart(part, `its IDX header names ${found}; unsigned bytes are read. Send other numbers as npy`);
  }
  const dataOffset = 4 + 4 * dimensions!;
  if (!(dimensions! >= 1 && dimensions! <= MAX_DIMENSIONS)) {
    rejectPart(part, `its IDX header names ${dimensions} dimensions; 1 to ${MAX_DIMENSIONS} are read`);
  }
  if (head.length < dataOffset) rejectPart(part, 'it ends within its IDX header');
  const shape = Array.from({ length: dimensions! }, (_, d) => head.readUInt32BE(4 + 4 * d));
  const dataBytes = shape.reduce((product, dimension) => product * dimension, 1);
  if (fileBytes !== null && fileBytes !== dataOffset + dataBytes) {
    rejectPart(
      part,
      `its IDX header names ${dataBytes} bytes of data, but there are ${fileBytes - dataOffset}`,
    );
  }
  return { dtype: 'u1', shape, fortranOrder: false, dataOffset, dataBytes };
}
