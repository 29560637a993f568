/** Copies the pixels of a batch into the memory of the kernel. */
import { MAX_BATCH } from './constants.ts';
import { HEADER } from './header.ts';

/**
 * Records first … last − 1 ← the rows of `pixels` at the indices of the batch (in the kernel's memory); with
 * mixup also their partners. Allocates nothing.
 */
export type CopyRows = (first: number, last: number) => void;

/** Address and size of the records, for threads that do not have the job's layout. */
export interface RowsLayout {
  readonly inputs: number;
  readonly records: number;
  readonly recordStride: number;
  /** Address of the partners of the records; 0 without mixup. */
  readonly partnerRows: number;
  readonly partnerStride: number;
}

export function createCopyRows(
  memory: WebAssembly.Memory,
  { inputs, records, recordStride, partnerRows, partnerStride }: RowsLayout,
  pixels: Uint8Array,
): CopyRows {
  const batch = new Uint32Array(memory.buffer, HEADER.addresses.INDICES, MAX_BATCH);
  const partners = new Uint32Array(memory.buffer, HEADER.addresses.PARTNERS, MAX_BATCH);
  if (inputs % 8 !== 0 || pixels.byteOffset % 8 !== 0) {
    const bytes = new Uint8Array(memory.buffer);
    return (first, last) => {
      for (let n = first; n < last; n++) {
        copyBytes(bytes, records + n * recordStride, pixels, batch[n]! * inputs, inputs);
        if (partnerRows === 0) continue;
        copyBytes(bytes, partnerRows + n * partnerStride, pixels, batch[partners[n]!]! * inputs, inputs);
      }
    };
  }
  const memoryWords = new BigInt64Array(memory.buffer);
  const pixelWords = new BigInt64Array(pixels.buffer, pixels.byteOffset, pixels.length >> 3);
  const halves = new Int32Array(pixels.buffer, pixels.byteOffset, pixels.length >> 2);
  const count = inputs >> 3;
  // Receives the result of `touch`, so that the compiler does not remove its reads.
  const touched = new Int32Array(1);
  return (first, last) => {
    touched[0] = touch(halves, batch, first, last, 2 * count);
    for (let n = first; n < last; n++) {
      copyWords(memoryWords, (records + n * recordStride) >> 3, pixelWords, batch[n]! * count, count);
      if (partnerRows === 0) continue;
      const row = batch[partners[n]!]!;
      copyWords(memoryWords, (partnerRows + n * partnerStride) >> 3, pixelWords, row * count, count);
    }
  };
}

/**
 * Reads one word of every cache line of the rows before they are copied. Rows are scattered over the data set; this
 * way the processor waits for many of them at once, in half the time. Both ends of all rows are read first, so that
 * it also waits for the translations of many addresses at once.
 */
function touch(from: Int32Array, batch: Uint32Array, first: number, last: number, count: number): number {
  let sum = 0;
  for (let n = first; n < last; n++) sum ^= from[batch[n]! * count]! ^ from[batch[n]! * count + count - 1]!;
  for (let n = first; n < last; n++) {
    let at = batch[n]! * count;
    const end = at + count;
    for (; at + 64 <= end; at += 64) sum ^= from[at]! ^ from[at + 16]! ^ from[at + 32]! ^ from[at + 48]!;
    for (; at < end; at += 16) sum ^= from[at]!;
  }
  return sum;
}

function copyBytes(to: Uint8Array, at: number, from: Uint8Array, start: number, count: number): void {
  for (let k = 0; k < count; k++) to[at + k] = from[start + k]!;
}

/**
 * Copies eight bytes at a time, seven times in an iteration, because an image has 98 of these words. Compiled code moves
 * them without creating BigInts; float64 might change the bits of NaNs. `| 0` saves the check of each sum for overflow.
 */
export function copyWords(
  to: BigInt64Array,
  at: number,
  from: BigInt64Array,
  start: number,
  count: number,
): void {
  let k = 0;
  for (; k + 7 <= count; k += 7) {
    const t = (at + k) | 0;
    const f = (start + k) | 0;
    to[t] = from[f]!;
    to[(t + 1) | 0] = from[(f + 1) | 0]!;
    to[(t + 2) | 0] = from[(f + 2) | 0]!;
    to[(t + 3) | 0] = from[(f + 3) | 0]!;
    to[(t + 4) | 0] = from[(f + 4) | 0]!;
    to[(t + 5) | 0] = from[(f + 5) | 0]!;
    to[(t + 6) | 0] = from[(f + 6) | 0]!;
  }
  for (; k < count; k++) to[at + k] = from[start + k]!;
}
