/**
 * Strict parser of the central directory of zip archives.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16
 */
import { quote } from './model-file-error.ts';
import { MAX_TENSORS } from './tensor.ts';

export interface DirectoryEntry {
  readonly name: string;
  readonly method: number;
  readonly checksum: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  /** Offset of its local header. */
  readonly offset: number;
}

/** Throws the caller's error for an invalid archive. */
export type Reject = (defect: string, cause?: unknown) => never;

export const LOCAL_HEADER_BYTES = 30;
export const METHODS = { stored: 0, deflated: 8 } as const;
const LOCAL_HEADER = 0x0403_4b50;
const DIRECTORY_ENTRY = { signature: 0x0201_4b50, bytes: 46 };
const END = { signature: 0x0605_4b50, bytes: 22 };
const MAX_COMMENT_BYTES = 0xffff;
const ENCRYPTED = 1;

/**
 * @param tail the end of the archive, or the whole archive
 * @param tailOffset offset of `tail` in the archive
 * @param maxBytes limit of all entries together, decompressed
 */
export function readDirectory(
  tail: Uint8Array,
  tailOffset: number,
  maxBytes: number,
  reject: Reject,
): DirectoryEntry[] {
  const view = dataView(tail);
  const end = findEnd(view, reject);
  const count = view.getUint16(end + 10, true);
  if (count > MAX_TENSORS) reject(`the archive has ${count} entries; the limit is ${MAX_TENSORS}`);
  const entries: DirectoryEntry[] = [];
  let at = view.getUint32(end + 16, true) - tailOffset;
  for (let i = 0; i < count; i++) {
    if (
      at < 0 ||
      at + DIRECTORY_ENTRY.bytes > end ||
      view.getUint32(at, true) !== DIRECTORY_ENTRY.signature
    ) {
      reject('the directory of the archive is damaged');
    }
    const nameEnd = at + DIRECTORY_ENTRY.bytes + view.getUint16(at + 28, true);
    const name = Buffer.from(tail.subarray(at + DIRECTORY_ENTRY.bytes, nameEnd)).toString();
    const method = view.getUint16(at + 10, true);
    if ((view.getUint16(at + 8, true) & ENCRYPTED) !== 0) reject(`the entry ${quote(name)} is encrypted`);
    if (method !== METHODS.stored && method !== METHODS.deflated) {
      reject(`the entry ${quote(name)} is compressed with method ${method}; use deflate`);
    }
    entries.push({
      name,
      method,
      checksum: view.getUint32(at + 16, true),
      compressedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  if (at !== end) reject('the directory of the archive is damaged');
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > maxBytes) reject(`it decompresses to ${total} bytes; the limit is ${maxBytes}`);
  const twice = entries.find(({ name }, i) => entries.findIndex((each) => each.name === name) !== i);
  if (twice) reject(`the archive has two entries ${quote(twice.name)}`);
  return entries;
}

/** Finds the last end record whose comment extends exactly to the end of the file. */
function findEnd(view: DataView, reject: Reject): number {
  const last = view.byteLength - END.bytes;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--) {
    if (view.getUint32(at, true) === END.signature && at + view.getUint16(at + 20, true) === last) return at;
  }
  return reject('the archive has no directory; it may be truncated');
}

/**
 * @param header the bytes at the entry's offset; fewer than 30 at the end of the archive
 * @returns the offset of the compressed bytes
 */
export function compressedStart(
  { name, offset, compressedBytes }: DirectoryEntry,
  header: Uint8Array,
  archiveBytes: number,
  reject: Reject,
): number {
  const view = dataView(header);
  if (header.length < LOCAL_HEADER_BYTES || view.getUint32(0, true) !== LOCAL_HEADER) {
    reject(`the entry ${quote(name)} is not at the offset in the directory`);
  }
  const start = offset + LOCAL_HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + compressedBytes > archiveBytes) reject(`the entry ${quote(name)} is truncated`);
  return start;
}

function dataView({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
