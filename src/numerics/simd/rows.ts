/** Copies the pixels of a batch into the records of a kernel: a WebAssembly instance sees only its own memory. */
import type { Layout } from './layout.ts';

/** Record n ← row batch[n] of `pixels`. Leaves nothing for the garbage collector, as long as `pixels` stays the same. */
export type CopyRows = (pixels: Uint8Array, batch: Uint32Array) => void;

export function createCopyRows(bytes: Uint8Array, words: Int32Array, layout: Layout): CopyRows {
  const { inputs } = layout.layers[0]!;
  const { records, recordStride } = layout;
  let known: Uint8Array | null = null;
  let wide: Int32Array | null = null;
  return (pixels, batch) => {
    if (pixels !== known) {
      known = pixels;
      const aligned = inputs % 4 === 0 && pixels.byteOffset % 4 === 0;
      wide = aligned ? new Int32Array(pixels.buffer, pixels.byteOffset, pixels.length >> 2) : null;
    }
    for (let n = 0; n < batch.length; n++) {
      if (wide === null) copyBytes(bytes, records + n * recordStride, pixels, batch[n]! * inputs, inputs);
      else copyWords(words, (records + n * recordStride) >> 2, wide, batch[n]! * (inputs >> 2), inputs >> 2);
    }
  };
}

function copyBytes(to: Uint8Array, at: number, from: Uint8Array, start: number, count: number): void {
  for (let k = 0; k < count; k++) to[at + k] = from[start + k]!;
}

function copyWords(to: Int32Array, at: number, from: Int32Array, start: number, count: number): void {
  for (let k = 0; k < count; k++) to[at + k] = from[start + k]!;
}
