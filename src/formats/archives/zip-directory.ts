/**
 * Strict parser of the central directory of zip archives.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7 and 4.3.16
 */

import { MAX_TENSORS } from '../arrays/tensor.ts';
import { quote } from '../models/file-error.ts';
import {
  checkApart,
  DAMAGED,
  type DirectoryEntry,
  dataView,
  LOCAL_HEADER_BYTES,
  METHODS,
  type Reject,
  readEntries,
} from './zip-entries.ts';
import { type DirectoryRange, readZip64End } from './zip64.ts';

const LOCAL_HEADER = 0x0403_4b50;
const END = { signature: 0x0605_4b50, bytes: 22 };
const MAX_COMMENT_BYTES = 0xffff;
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
  const range = findDirectory(tail, tailOffset, reject);
  if (range.count > MAX_TENSORS)
    reject(`the archive has ${range.count} entries; the limit is ${MAX_TENSORS}`);
  const entries = [...readEntries(tail, tailOffset, range, reject)];
  checkEntries(entries, range, maxBytes, reject);
  return entries;
}

/** Rejects entries that cannot be unpacked, share a name or bytes, or take more than `maxBytes` together. */
export function checkEntries(
  entries: readonly DirectoryEntry[],
  { start }: Pick<DirectoryRange, 'start'>,
  maxBytes: number,
  reject: Reject,
): void {
  const names = new Set<string>();
  for (const { name, method, encrypted } of entries) {
    if (encrypted) reject(`the entry ${quote(name)} is encrypted`);
    if (method !== METHODS.stored && method !== METHODS.deflated) {
      reject(`the entry ${quote(name)} is compressed with method ${method}; use deflate`);
    }
    if (names.has(name)) reject(`the archive has two entries ${quote(name)}`);
    names.add(name);
  }
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > maxBytes) reject(`it decompresses to ${total} bytes; the limit is ${maxBytes}`);
  checkApart(entries, start, reject);
}

/** Names of the first entries of an archive, whatever they hold; at most `limit`. */
export function entryNames(archive: Uint8Array, limit: number, reject: Reject): string[] {
  const range = findDirectory(archive, 0, reject);
  return readEntries(archive, 0, range, reject)
    .take(limit)
    .map(({ name }) => name)
    .toArray();
}

/** @param tail the end of the archive, at least the end records; `tailOffset` is its offset in the archive */
export function findDirectory(tail: Uint8Array, tailOffset: number, reject: Reject): DirectoryRange {
  const view = dataView(tail);
  const end = findEnd(view, reject);
  const [count, start] = [view.getUint16(end + 10, true), view.getUint32(end + 16, true)];
  const plain = { count, start, end: end + tailOffset };
  const found = readZip64End(view, tailOffset, end, plain);
  return found === undefined ? reject(DAMAGED) : (found ?? plain);
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
