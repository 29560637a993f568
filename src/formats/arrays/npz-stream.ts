/** Streams .npz archives of pixels and labels, as `np.savez` writes them: the same bytes each time, so they have ranges. */

import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Zip, ZipPassThrough } from 'fflate';
import { type Labels, labelBytes } from '../../numerics/examples/labels.ts';
import { npyHeader } from './npy.ts';

export interface StreamedArray {
  readonly name: string;
  readonly shape: readonly number[];
  /** May be in shared memory. */
  readonly data: Labels;
}

const CHUNK_BYTES = 2 ** 18;
/** Bytes that the archive adds: per entry without its name, which occurs twice, and at its end. */
const ENTRY_BYTES = 30 + 16 + 46;
const END_BYTES = 22;

/** The size of the archive, and a stream of the bytes from `start` to `end`, inclusive. */
export function streamNpz(arrays: readonly StreamedArray[]) {
  const entries = arrays.map(({ name, shape, data }) => ({
    file: `${name}.npy`,
    head: npyHeader(data instanceof Uint8Array ? '|u1' : '<u2', shape),
    data: labelBytes(data),
  }));
  const size = entries.reduce(
    (sum, { file, head, data }) => sum + ENTRY_BYTES + 2 * file.length + head.length + data.length,
    END_BYTES,
  );
  return {
    size,
    read: ({ start, end }: { start: number; end: number }) =>
      Readable.from(slice(writeNpz(entries), start, end), { objectMode: false }),
  };
}

function* writeNpz(
  entries: readonly { file: string; head: Uint8Array; data: Uint8Array }[],
): Generator<Uint8Array> {
  let written: Uint8Array[] = [];
  const zip = new Zip((_error, bytes) => void written.push(bytes));
  function* flush() {
    yield* written;
    written = [];
  }
  for (const { file, head, data } of entries) {
    const entry = new ZipPassThrough(file);
    // The earliest (local) time of the format.
    entry.mtime = new Date(1980, 0, 1);
    zip.add(entry);
    entry.push(head);
    for (let at = 0; at < data.length; at += CHUNK_BYTES) {
      // A copy: sockets do not take shared memory.
      entry.push(new Uint8Array(data.subarray(at, at + CHUNK_BYTES)));
      yield* flush();
    }
    entry.push(new Uint8Array(0), true);
  }
  zip.end();
  yield* flush();
}

/** The bytes before `start` are computed too, because a checksum follows each array. */
async function* slice(chunks: Iterable<Uint8Array>, start: number, end: number): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, start - at), Math.max(0, end + 1 - at));
    at += chunk.length;
    if (part.length > 0) yield part;
    else await setImmediate();
    if (at > end) return;
  }
}
