/**
 * Strict reader of the entries of zip archives, in memory or in files.
 * Decompression is bounded by the declared size, and checksums are verified. Libraries are not used for reading: fflate (it
 * writes the archives) inflates past the declared size; yauzl reads asynchronously only; both ignore checksums and overlaps.
 */
import { constants, crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { quote, type Reject } from '../models/file-error.ts';
import { decompress } from './decompress.ts';
import type { RangeSource } from './range-source.ts';
import { compressedStart } from './zip-directory.ts';
import { METHODS, type ZipEntry } from './zip-entries.ts';

/** The whole content, verified. It may be a view of the archive. */
export function readEntry(archive: RangeSource, entry: ZipEntry): Uint8Array {
  const { reject } = archive;
  const { name, method, bytes, compressedBytes, checksum } = entry;
  const start = compressedStart(archive, entry);
  let data = archive.read(start, start + compressedBytes);
  if (method === METHODS.deflated) {
    try {
      data = inflateRawSync(data, { maxOutputLength: Math.max(1, bytes) });
    } catch (cause) {
      reject(`the entry ${quote(name)} does not decompress to its declared ${bytes} bytes`, cause);
    }
  }
  if (data.length !== bytes || crc32(data) !== checksum) reject(`the entry ${quote(name)} is damaged`);
  return data;
}

/** Deflate never takes much more than the data itself, after the tables of a block. */
export const mostCompressed = (bytes: number) => 2 * bytes + 1024;

/** The first bytes of the content, or none if it is damaged. Its checksum is not verified. */
export function readEntryStart(archive: RangeSource, entry: ZipEntry, bytes: number): Uint8Array {
  const { method, compressedBytes } = entry;
  const start = compressedStart(archive, entry);
  const compressed = archive.read(start, start + Math.min(compressedBytes, mostCompressed(bytes)));
  if (method === METHODS.stored) return compressed.subarray(0, bytes);
  try {
    return inflateRawSync(compressed, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, bytes);
  } catch {
    return new Uint8Array(0);
  }
}

/**
 * The content as a stream that never exceeds its declared size, and whose end is verified.
 * @param compressed the bytes from `compressedStart` on
 * @param reject throws the error for the content
 */
export async function* streamEntry(
  { method, bytes, checksum }: ZipEntry,
  compressed: AsyncIterable<Uint8Array>,
  reject: Reject,
): AsyncIterable<Uint8Array> {
  let [found, sum] = [0, 0];
  const isDeflated = method === METHODS.deflated;
  for await (const chunk of isDeflated ? decompress(compressed, createInflateRaw(), reject) : compressed) {
    found += chunk.length;
    if (found > bytes) reject(`it decompresses to more than its declared ${bytes} bytes`);
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (found !== bytes || sum !== checksum) reject('it is damaged');
}
