/**
 * Strict parser of the central directory of zip archives.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7 and 4.3.16
 */
import { quote } from './model-file-error.ts';
import { MAX_TENSORS } from './tensor.ts';
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
  const range = findDirectory(dataView(tail), tailOffset, reject);
  if (range.count > MAX_TENSORS)
    reject(`the archive has ${range.count} entries; the limit is ${MAX_TENSORS}`);
  const entries = [...readEntries(tail, tailOffset, range, reject)];
  for (const { name, method, encrypted } of entries) {
    if (encrypted) reject(`the entry ${quote(name)} is encrypted`);
    if (method !== METHODS.stored && method !== METHODS.deflated) {
      reject(`the entry ${quote(name)} is compressed with method ${method}; use deflate`);
    }
  }
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > maxBytes) reject(`it decompresses to ${total} bytes; the limit is ${maxBytes}`);
  const twice = entries.find(({ name }, i) => entries.findIndex((each) => each.name === name) !== i);
  if (twice) reject(`the archive has two entries ${quote(twice.name)}`);
  checkApart(entries, range.start, reject);
  return entries;
}

/** Names of the first entries of an archive, whatever they hold; at most `limit`. */
export function entryNames(archive: Uint8Array, limit: number, reject: Reject): string[] {
  const range = findDirectory(dataView(archive), 0, reject);
  return readEntries(archive, 0, range, reject)
    .take(limit)
    .map(({ name }) => name)
    .toArray();
}

function findDirectory(view: DataView, viewOffset: number, reject: Reject): DirectoryRange {
  const end = findEnd(view, reject);
  const [count, start] = [view.getUint16(end + 10, true), view.getUint32(end + 16, true)];
  const plain = { count, start, end: end + viewOffset };
  const found = readZip64End(view, viewOffset, end, plain);
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
