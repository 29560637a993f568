/**
 * Entries in the central directory of zip archives.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.12
 */
import { quote, type Reject } from '../models/file-error.ts';
import type { RangeSource } from './range-source.ts';
import { type DirectoryRange, readZip64Extra } from './zip64.ts';

export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  /** Whether it is a symbolic link of Unix, whose content is its target. */
  readonly isLink: boolean;
  readonly checksum: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  /** Offset of its local header. */
  readonly offset: number;
}

export const LOCAL_HEADER_BYTES = 30;
export const METHODS = { stored: 0, deflated: 8 } as const;
const DIRECTORY_ENTRY = { signature: 0x0201_4b50, bytes: 46 };
/** With the longest name, extra fields and comment. */
const MAX_ENTRY_BYTES = DIRECTORY_ENTRY.bytes + 3 * 0xffff;
const ENCRYPTED = 1;
/** The upper half of the external attributes is `st_mode` of Unix. */
const FILE_TYPE = { mask: 0xf000, link: 0xa000 };
export const DAMAGED = 'the directory of the archive is damaged';

/** Reads the directory of the archive, entry by entry. */
export function* readEntries(
  { read, reject }: RangeSource,
  { count, start, end }: DirectoryRange,
): Generator<ZipEntry, undefined> {
  // This bounds the memory that the directory takes, whatever the archive declares.
  if (end - start > count * MAX_ENTRY_BYTES) reject(DAMAGED);
  const directory = read(start, end);
  const view = dataView(directory);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const isComplete = at + DIRECTORY_ENTRY.bytes <= directory.length;
    if (!isComplete || view.getUint32(at, true) !== DIRECTORY_ENTRY.signature) reject(DAMAGED);
    const nameEnd = at + DIRECTORY_ENTRY.bytes + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > directory.length) reject(DAMAGED);
    const name = Buffer.from(directory.subarray(at + DIRECTORY_ENTRY.bytes, nameEnd)).toString();
    const plain = [24, 20, 42].map((field) => view.getUint32(at + field, true));
    const [bytes, compressedBytes, offset] =
      readZip64Extra(dataView(directory.subarray(nameEnd, extraEnd)), plain) ?? reject(DAMAGED);
    yield {
      name,
      method: view.getUint16(at + 10, true),
      encrypted: (view.getUint16(at + 8, true) & ENCRYPTED) !== 0,
      isLink: (view.getUint16(at + 40, true) & FILE_TYPE.mask) === FILE_TYPE.link,
      checksum: view.getUint32(at + 16, true),
      compressedBytes: compressedBytes!,
      bytes: bytes!,
      offset: offset!,
    };
    at = next;
  }
  if (at !== end - start) reject(DAMAGED);
}

/** Rejects entries that reach into the directory or share bytes, as in some decompression bombs. */
export function checkApart(entries: readonly ZipEntry[], directoryStart: number, reject: Reject): void {
  let [before, end] = ['', 0];
  for (const { name, offset, compressedBytes } of entries.toSorted((a, b) => a.offset - b.offset)) {
    if (offset + LOCAL_HEADER_BYTES > directoryStart)
      reject(`the entry ${quote(name)} is not at the offset in the directory`);
    if (offset < end) reject(`the entries ${quote(before)} and ${quote(name)} overlap`);
    [before, end] = [name, offset + LOCAL_HEADER_BYTES + compressedBytes];
    if (end > directoryStart) reject(`the entry ${quote(name)} is truncated`);
  }
}

export function dataView({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
