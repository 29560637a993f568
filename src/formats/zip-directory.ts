/**
 * Strict parser of the central directory of zip archives.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16
 */
import { quote } from './model-file-error.ts';
import { MAX_TENSORS } from './tensor.ts';
import { type DirectoryRange, readZip64End, readZip64Extra } from './zip64.ts';

export interface DirectoryEntry {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
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
const DAMAGED = 'the directory of the archive is damaged';

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

function* readEntries(
  tail: Uint8Array,
  tailOffset: number,
  { count, start, end }: DirectoryRange,
  reject: Reject,
): Generator<DirectoryEntry, undefined> {
  const view = dataView(tail);
  const last = end - tailOffset;
  let at = start - tailOffset;
  for (let i = 0; i < count; i++) {
    if (
      at < 0 ||
      at + DIRECTORY_ENTRY.bytes > last ||
      view.getUint32(at, true) !== DIRECTORY_ENTRY.signature
    ) {
      reject(DAMAGED);
    }
    const nameEnd = at + DIRECTORY_ENTRY.bytes + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > last) reject(DAMAGED);
    const name = Buffer.from(tail.subarray(at + DIRECTORY_ENTRY.bytes, nameEnd)).toString();
    const plain = [24, 20, 42].map((field) => view.getUint32(at + field, true));
    const [bytes, compressedBytes, offset] =
      readZip64Extra(dataView(tail.subarray(nameEnd, extraEnd)), plain) ?? reject(DAMAGED);
    yield {
      name,
      method: view.getUint16(at + 10, true),
      encrypted: (view.getUint16(at + 8, true) & ENCRYPTED) !== 0,
      checksum: view.getUint32(at + 16, true),
      compressedBytes: compressedBytes!,
      bytes: bytes!,
      offset: offset!,
    };
    at = next;
  }
  if (at !== last) reject(DAMAGED);
}

/** Rejects entries that reach into the directory or share bytes, as those of some decompression bombs do. */
function checkApart(entries: readonly DirectoryEntry[], directoryStart: number, reject: Reject): void {
  let [before, end] = ['', 0];
  for (const { name, offset, compressedBytes } of entries.toSorted((a, b) => a.offset - b.offset)) {
    if (offset + LOCAL_HEADER_BYTES > directoryStart)
      reject(`the entry ${quote(name)} is not at the offset in the directory`);
    if (offset < end) reject(`the entries ${quote(before)} and ${quote(name)} overlap`);
    [before, end] = [name, offset + LOCAL_HEADER_BYTES + compressedBytes];
    if (end > directoryStart) reject(`the entry ${quote(name)} is truncated`);
  }
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

function dataView({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
