/** Bytes that can be read from any position, of memory and of files. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Reject } from '../models/file-error.ts';

/** `read` blocks, so files are opened in worker threads only. */
export interface RangeSource {
  readonly bytes: number;
  /** The bytes from `start` to `end`, or fewer at the end. They may be a view. */
  read(start: number, end: number): Uint8Array;
  /** Throws the error for these bytes, which names their file. */
  readonly reject: Reject;
}

export function memorySource(bytes: Uint8Array, reject: Reject): RangeSource {
  return {
    bytes: bytes.length,
    read: (start, end) => bytes.subarray(start, Math.max(start, end)),
    reject,
  };
}

/** Opens a file until it is disposed of. */
export function openFile(path: string, reject: Reject): RangeSource & Disposable {
  const file = openSync(path, 'r');
  const { size } = fstatSync(file);
  return {
    bytes: size,
    read(start, end) {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(size, end) - start));
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, start));
    },
    reject,
    [Symbol.dispose]: () => closeSync(file),
  };
}
