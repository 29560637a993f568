/** Copies the pixels of a batch into the records of a kernel: a WebAssembly instance sees only its own memory. */
import { INDICES, MAX_BATCH } from './addresses.ts';

/**
 * Records first … last − 1 ← the rows of `pixels` that the batch's indices name, which lie in the memory itself. Leaves
 * nothing for the garbage collector.
 */
export type CopyRows = (first: number, last: number) => void;

/** Where a record is and how long a row, for threads that know nothing else of the job. */
export interface RowsLayout {
  readonly inputs: number;
  readonly records: number;
  readonly recordStride: number;
}

export function createCopyRows(
  memory: WebAssembly.Memory,
  { inputs, records, recordStride }: RowsLayout,
  pixels: Uint8Array,
): CopyRows {
  const batch = new Uint32Array(memory.buffer, INDICES, MAX_BATCH);
  if (inputs % 4 !== 0 || pixels.byteOffset % 4 !== 0) {
    const bytes = new Uint8Array(memory.buffer);
    return (first, last) => {
      for (let n = first; n < last; n++) {
        copyBytes(bytes, records + n * recordStride, pixels, batch[n]! * inputs, inputs);
      }
    };
  }
  const words = new Int32Array(memory.buffer);
  const wide = new Int32Array(pixels.buffer, pixels.byteOffset, pixels.length >> 2);
  const count = inputs >> 2;
  // Kept, so that no compiler leaves the reading out.
  const touched = new Int32Array(1);
  return (first, last) => {
    touched[0] = touch(wide, batch, first, last, count);
    for (let n = first; n < last; n++) {
      copyWords(words, (records + n * recordStride) >> 2, wide, batch[n]! * count, count);
    }
  };
}

/**
 * Reads something of every cache line of all rows first: rows lie anywhere in the data set, and this way the
 * processor waits for many of them at once, which halves the time.
 */
function touch(from: Int32Array, batch: Uint32Array, first: number, last: number, count: number): number {
  let sum = 0;
  for (let n = first; n < last; n++) {
    const start = batch[n]! * count;
    for (let k = 0; k < count; k += 16) sum ^= from[start + k]!;
  }
  return sum;
}

function copyBytes(to: Uint8Array, at: number, from: Uint8Array, start: number, count: number): void {
  for (let k = 0; k < count; k++) to[at + k] = from[start + k]!;
}

function copyWords(to: Int32Array, at: number, from: Int32Array, start: number, count: number): void {
  let k = 0;
  for (; k + 4 <= count; k += 4) {
    to[at + k] = from[start + k]!;
    to[at + k + 1] = from[start + k + 1]!;
    to[at + k + 2] = from[start + k + 2]!;
    to[at + k + 3] = from[start + k + 3]!;
  }
  for (; k < count; k++) to[at + k] = from[start + k]!;
}
