/**
 * The entries of a zip archive, read strictly: what is inflated is bounded by the size that was declared, and its
 * checksum is compared. (fflate's unzipSync goes on inflating past the declared size without keeping it, for as long
 * as a bomb lasts, and never looks at checksums; it writes the archives.)
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { quote, refuse } from './refuse.ts';
import { MAX_TENSORS } from './tensor.ts';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const LOCAL_HEADER = { signature: 0x0403_4b50, bytes: 30 };
const DIRECTORY_ENTRY = { signature: 0x0201_4b50, bytes: 46 };
const END = { signature: 0x0605_4b50, bytes: 22 };
const MAX_COMMENT_BYTES = 0xffff;
const METHODS = { stored: 0, deflated: 8 };
const ENCRYPTED = 1;

interface DirectoryEntry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly checksum: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly offset: number;
}

/**
 * @param maxBytes the most that all entries may have together, inflated
 * @throws AtelierError `invalid-model-file`
 */
export function readZip(archive: Uint8Array, maxBytes: number): ZipEntry[] {
  const entries = readDirectory(archive);
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > maxBytes) refuse(`unpacked it would take ${total} bytes, and ${maxBytes} are the most`);
  const twice = entries.find(({ name }, i) => entries.findIndex((each) => each.name === name) !== i);
  if (twice) refuse(`the archive has two entries ${quote(twice.name)}`);
  return entries.map((entry) => ({ name: entry.name, bytes: unpack(archive, entry) }));
}

function readDirectory(archive: Uint8Array): DirectoryEntry[] {
  const view = viewOf(archive);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  if (count > MAX_TENSORS) refuse(`the archive has ${count} entries; ${MAX_TENSORS} are the most`);
  const entries: DirectoryEntry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (at + DIRECTORY_ENTRY.bytes > end || view.getUint32(at, true) !== DIRECTORY_ENTRY.signature) {
      refuse('the directory of the archive is damaged');
    }
    const nameEnd = at + DIRECTORY_ENTRY.bytes + view.getUint16(at + 28, true);
    entries.push({
      name: Buffer.from(archive.subarray(at + DIRECTORY_ENTRY.bytes, nameEnd)).toString(),
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      checksum: view.getUint32(at + 16, true),
      packedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  if (at !== end) refuse('the directory of the archive is damaged');
  return entries;
}

/** The last end record whose comment reaches exactly to the end of the file. */
function findEnd(view: DataView): number {
  const last = view.byteLength - END.bytes;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--) {
    if (view.getUint32(at, true) === END.signature && at + view.getUint16(at + 20, true) === last) return at;
  }
  return refuse('the archive has no directory; it may have been cut off');
}

function unpack(archive: Uint8Array, entry: DirectoryEntry): Uint8Array {
  const { name, flags, method, checksum, packedBytes, bytes, offset } = entry;
  const view = viewOf(archive);
  if ((flags & ENCRYPTED) !== 0) refuse(`the entry ${quote(name)} is encrypted`);
  if (
    offset + LOCAL_HEADER.bytes > archive.length ||
    view.getUint32(offset, true) !== LOCAL_HEADER.signature
  ) {
    refuse(`the entry ${quote(name)} is not where the directory says`);
  }
  const start =
    offset + LOCAL_HEADER.bytes + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + packedBytes > archive.length) refuse(`the entry ${quote(name)} is cut off`);
  const packed = archive.subarray(start, start + packedBytes);
  const data = method === METHODS.stored ? packed : inflate(packed, bytes, name, method);
  if (data.length !== bytes || crc32(data) !== checksum) refuse(`the entry ${quote(name)} is damaged`);
  return data;
}

function inflate(packed: Uint8Array, bytes: number, name: string, method: number): Uint8Array {
  if (method !== METHODS.deflated)
    refuse(`the entry ${quote(name)} is packed by method ${method}; use deflate`);
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes) });
  } catch (cause) {
    return refuse(`the entry ${quote(name)} does not inflate to the ${bytes} bytes that it declares`, cause);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
