/** Copies the pixels of a batch into the records of a kernel: a WebAssembly instance sees only its own memory. */
import type { Layout } from './layout.ts';

/** Record n ← row batch[n] of `pixels`. Leaves nothing for the garbage collector, as long as `pixels` stays the same. */
export type CopyRows = (pixels: Uint8Array, batch: Uint32Array) => void;

export function createCopyRows(bytes: Uint8Array, words: Int32Array, layout: Layout): CopyRows {
  const { inputs } = layout.layers[0]!;
  const { records, recordStride } = layout;
  let known: Uint8Array | null = null;
  let wide: Int32Array | null = null;
  // Kept, so that no compiler leaves the reading out.
  let touched = 0;
  return (pixels, batch) => {
    if (pixels !== known) {
      known = pixels;
      const aligned = inputs % 4 === 0 && pixels.byteOffset % 4 === 0;
      wide = aligned ? new Int32Array(pixels.buffer, pixels.byteOffset, pixels.length >> 2) : null;
    }
    if (wide !== null) touched ^= touch(wide, batch, inputs >> 2);
    for (let n = 0; n < batch.length; n++) {
      if (wide === null) copyBytes(bytes, records + n * recordStride, pixels, batch[n]! * inputs, inputs);
      else copyWords(words, (records + n * recordStride) >> 2, wide, batch[n]! * (inputs >> 2), inputs >> 2);
    }
  };
}

/**
 * Reads something of every cache line of all rows first: rows lie anywhere in the data set, and this way the
 * processor waits for many of them at once, which halves the time.
 */
function touch(from: Int32Array, batch: Uint32Array, count: number): number {
  let sum = 0;
  for (let n = 0; n < batch.length; n++) {
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
