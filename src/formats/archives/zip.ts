/**
 * Strict reader of zip archives.
 * Decompression is bounded by the declared size, and checksums are verified. fflate, which writes the archives, is
 * not used for reading: its unzipSync inflates past the declared size and ignores checksums.
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { quote, rejectModelFile } from '../models/file-error.ts';
import { compressedStart, readDirectory } from './zip-directory.ts';
import { type DirectoryEntry, LOCAL_HEADER_BYTES, METHODS } from './zip-entries.ts';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * @param maxBytes limit of all entries together, decompressed
 * @throws AtelierError `invalid-model-file`
 */
export function readZip(archive: Uint8Array, maxBytes: number): ZipEntry[] {
  return readDirectory(archive, 0, maxBytes, rejectModelFile).map((entry) => ({
    name: entry.name,
    bytes: unpack(archive, entry),
  }));
}

function unpack(archive: Uint8Array, entry: DirectoryEntry): Uint8Array {
  const { name, method, checksum, compressedBytes: packedBytes, bytes, offset } = entry;
  const header = archive.subarray(offset, offset + LOCAL_HEADER_BYTES);
  const start = compressedStart(entry, header, archive.length, rejectModelFile);
  const compressed = archive.subarray(start, start + packedBytes);
  const data = method === METHODS.stored ? compressed : inflate(compressed, bytes, name);
  if (data.length !== bytes || crc32(data) !== checksum)
    rejectModelFile(`the entry ${quote(name)} is damaged`);
  return data;
}

function inflate(compressed: Uint8Array, bytes: number, name: string): Uint8Array {
  try {
    return inflateRawSync(compressed, { maxOutputLength: Math.max(1, bytes) });
  } catch (cause) {
    return rejectModelFile(
      `the entry ${quote(name)} does not decompress to its declared ${bytes} bytes`,
      cause,
    );
  }
}
