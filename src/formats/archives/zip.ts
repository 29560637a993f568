/**
 * Strict reader of zip archives.
 * Decompression is bounded by the declared size, and checksums are verified. Libraries are not used for reading: fflate (it
 * writes the archives) inflates past the declared size; yauzl reads asynchronously only; both ignore checksums and overlaps.
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { quote } from '../models/file-error.ts';
import { compressedStart, readDirectory } from './zip-directory.ts';
import { type DirectoryEntry, LOCAL_HEADER_BYTES, METHODS, type Reject } from './zip-entries.ts';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** @param maxBytes limit of all entries together, decompressed */
export function readZip(archive: Uint8Array, maxBytes: number, reject: Reject): ZipEntry[] {
  return readDirectory(archive, 0, maxBytes, reject).map((entry) => {
    const { name, offset, compressedBytes } = entry;
    const header = archive.subarray(offset, offset + LOCAL_HEADER_BYTES);
    const start = compressedStart(entry, header, archive.length, reject);
    return { name, bytes: unpackEntry(entry, archive.subarray(start, start + compressedBytes), reject) };
  });
}

/** The content of an entry; it may be a view of the compressed bytes. */
export function unpackEntry(
  { name, method, bytes, checksum }: DirectoryEntry,
  compressed: Uint8Array,
  reject: Reject,
): Uint8Array {
  let data = compressed;
  if (method === METHODS.deflated) {
    try {
      data = inflateRawSync(compressed, { maxOutputLength: Math.max(1, bytes) });
    } catch (cause) {
      reject(`the entry ${quote(name)} does not decompress to its declared ${bytes} bytes`, cause);
    }
  }
  if (data.length !== bytes || crc32(data) !== checksum) reject(`the entry ${quote(name)} is damaged`);
  return data;
}
