/**
 * Strict parser of the central directory of zip archives.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7 and 4.3.16
 */

import { quote, type Reject } from '../models/file-error.ts';
import type { RangeSource } from './range-source.ts';
import {
  checkApart,
  DAMAGED,
  dataView,
  LOCAL_HEADER_BYTES,
  METHODS,
  readEntries,
  type ZipEntry,
} from './zip-entries.ts';
import { type DirectoryRange, readZip64End } from './zip64.ts';

const LOCAL_HEADER = 0x0403_4b50;
const END = { signature: 0x0605_4b50, bytes: 22 };
const MAX_COMMENT_BYTES = 0xffff;
/** Holds the end records and the longest comment. */
const TAIL_BYTES = 2 ** 17;

/**
 * Reads and checks the entries.
 * @param range what `findDirectory` found; the caller limits the number of entries
 * @param maxBytes limit of all entries together, decompressed
 */
export function readDirectory(archive: RangeSource, range: DirectoryRange, maxBytes: number): ZipEntry[] {
  const entries = [...readEntries(archive, range)];
  checkEntries(entries, range, maxBytes, archive.reject);
  return entries;
}

/** Rejects entries that cannot be unpacked, share a name or bytes, or take more than `maxBytes` together. */
function checkEntries(
  entries: readonly ZipEntry[],
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
export function entryNames(archive: RangeSource, limit: number): string[] {
  return readEntries(archive, findDirectory(archive))
    .take(limit)
    .map(({ name }) => name)
    .toArray();
}

/** Finds the directory by the end records. Its entries are not read yet. */
/** Finds the directory by the end records. Its entries are not read yet. */
export function findDirectory({ bytes, read, reject }: RangeSource): DirectoryRange {
  const tailOffset = Math.max(0, bytes - TAIL_BYTES);
  const view = dataView(read(tailOffset, bytes));
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

/** Finds the compressed bytes of an entry, which follow its local header. */
export function compressedStart(
  { bytes, read, reject }: RangeSource,
  { name, offset, compressedBytes }: ZipEntry,
): number {
  const header = dataView(read(offset, offset + LOCAL_HEADER_BYTES));
  if (header.byteLength < LOCAL_HEADER_BYTES || header.getUint32(0, true) !== LOCAL_HEADER) {
    reject(`the entry ${quote(name)} is not at the offset in the directory`);
  }
  const start = offset + LOCAL_HEADER_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
  if (start + compressedBytes > bytes) reject(`the entry ${quote(name)} is truncated`);
  return start;
}
