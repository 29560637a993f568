/**
 * The entries of a zip archive, read strictly: what is inflated is bounded by the size that was declared, and its
 * checksum is compared. (fflate's unzipSync goes on inflating past the declared size without keeping it, for as long
 * as a bomb lasts, and never looks at checksums; it writes the archives.)
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { quote, refuse } from './refuse.ts';
import {
  type DirectoryEntry,
  LOCAL_HEADER_BYTES,
  METHODS,
  packedStart,
  readDirectory,
} from './zip-directory.ts';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * @param maxBytes the most that all entries may have together, inflated
 * @throws AtelierError `invalid-model-file`
 */
export function readZip(archive: Uint8Array, maxBytes: number): ZipEntry[] {
  return readDirectory(archive, 0, maxBytes, refuse).map((entry) => ({
    name: entry.name,
    bytes: unpack(archive, entry),
  }));
}

function unpack(archive: Uint8Array, entry: DirectoryEntry): Uint8Array {
  const { name, method, checksum, packedBytes, bytes, offset } = entry;
  const header = archive.subarray(offset, offset + LOCAL_HEADER_BYTES);
  const start = packedStart(entry, header, archive.length, refuse);
  const packed = archive.subarray(start, start + packedBytes);
  const data = method === METHODS.stored ? packed : inflate(packed, bytes, name);
  if (data.length !== bytes || crc32(data) !== checksum) refuse(`the entry ${quote(name)} is damaged`);
  return data;
}

function inflate(packed: Uint8Array, bytes: number, name: string): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes) });
  } catch (cause) {
    return refuse(`the entry ${quote(name)} does not inflate to the ${bytes} bytes that it declares`, cause);
  }
}
