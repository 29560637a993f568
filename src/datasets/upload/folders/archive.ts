/** Archives of files, zip or tar, also compressed with gzip: their listing, and the contents of chosen files. */
import { type FileHandle, open } from 'node:fs/promises';
import { constants, inflateRawSync } from 'node:zlib';
import { isTarHeader, readTar } from '../../../formats/archives/tar.ts';
import { unpackEntry } from '../../../formats/archives/zip.ts';
import { checkEntries, compressedStart, findDirectory } from '../../../formats/archives/zip-directory.ts';
import {
  type DirectoryEntry,
  LOCAL_HEADER_BYTES,
  METHODS,
  type Reject,
  readEntries,
} from '../../../formats/archives/zip-entries.ts';
import { quote } from '../../../formats/models/file-error.ts';
import {
  type ByteSource,
  fileSource,
  gunzippedSource,
  readHead,
  readRange,
  zipEntrySource,
} from '../byte-source.ts';
import { rejectPart } from '../reject-part.ts';

/** Limit of the files of an archive, whatever they hold. */
export const MAX_ARCHIVE_FILES = 1_000_000;
/** Limit of the directory of a zip archive, held in memory: the names have about 200 characters. */
const MAX_DIRECTORY_BYTES = 256 * MAX_ARCHIVE_FILES;
/** Holds the end records and the longest comment of a zip archive. */
const TAIL_BYTES = 2 ** 17;
const TAR_BLOCK = 512;
const CHUNK_BYTES = 2 ** 16;

export interface ArchiveFile {
  readonly name: string;
  /** Decompressed. */
  readonly bytes: number;
}

/** Entries that are not read, such as links: their number, and the first of them. */
export interface SkippedEntries {
  readonly count: number;
  readonly first: readonly { readonly name: string; readonly kind: string }[];
}

export interface FileArchive {
  readonly files: readonly ArchiveFile[];
  readonly skipped: SkippedEntries;
  /**
   * Reads files in the order of the archive.
   * @param wanted returns how many bytes from the start of a file are read, by its index: Infinity for the whole file, 0 to skip it
   */
  read(wanted: (index: number) => number): AsyncIterable<{ index: number; bytes: Uint8Array }>;
  /** The content of one file as a stream. @param part its name in messages, by default that of the archive */
  source(index: number, part?: string): ByteSource;
}

/** The number of entries or classes that a warning names. */
export const MAX_NAMED = 5;

/**
 * @param source the uploaded file
 * @param maxBytes limit of all files together, decompressed
 * @returns undefined if the file is neither a zip nor a tar archive
 * @throws AtelierError `invalid-dataset-file`
 */
export async function openArchive(
  source: ByteSource & { readonly path: string },
  maxBytes: number,
): Promise<FileArchive | undefined> {
  const head = await readHead(source, TAR_BLOCK);
  if (head.toString('latin1', 0, 2) === 'PK') return openZip(source, maxBytes);
  if (isTarHeader(head)) return openTar(source, maxBytes);
  if (head[0] !== 0x1f || head[1] !== 0x8b) return undefined;
  const unpacked = gunzippedSource(source);
  return isTarHeader(await readHead(unpacked, TAR_BLOCK)) ? openTar(unpacked, maxBytes) : undefined;
}

async function openTar(source: ByteSource, maxBytes: number): Promise<FileArchive> {
  const { part } = source;
  const reject: Reject = (defect, cause) => rejectPart(part, defect, cause);
  const entries = () => readTar(limitBytes(source, maxBytes), reject);
  const files: ArchiveFile[] = [];
  const first: { name: string; kind: string }[] = [];
  let [total, count] = [0, 0];
  for await (const { name, bytes, kind } of entries()) {
    if (kind === 'folder') continue;
    if (kind !== 'file') {
      if (count++ < MAX_NAMED) first.push({ name, kind });
      continue;
    }
    total += bytes;
    if (total > maxBytes) reject(`its files take more than the limit of ${maxBytes} bytes`);
    if (files.push({ name, bytes }) > MAX_ARCHIVE_FILES) rejectCount(part);
  }
  rejectRepeated(part, files);
  return {
    files,
    skipped: { count, first },
    async *read(wanted) {
      let index = -1;
      for await (const entry of entries()) {
        if (entry.kind !== 'file') continue;
        const bytes = wanted(++index);
        if (bytes > 0) yield { index, bytes: await entry.read(bytes) };
      }
    },
    source: (wanted, name = part) => ({
      part: name,
      bytes: files[wanted]!.bytes,
      async *open() {
        let index = -1;
        for await (const entry of entries()) {
          if (entry.kind !== 'file' || ++index < wanted) continue;
          for (let left = entry.bytes; left > 0; left -= CHUNK_BYTES)
            yield entry.read(Math.min(left, CHUNK_BYTES));
          return;
        }
      },
    }),
  };
}

/** Stops a decompression bomb. */
async function* limitBytes(source: ByteSource, maxBytes: number): AsyncIterable<Uint8Array> {
  // Headers and padding are not counted against the files.
  const limit = maxBytes + 3 * TAR_BLOCK * MAX_ARCHIVE_FILES;
  let found = 0;
  for await (const chunk of source.open()) {
    found += chunk.length;
    if (found > limit) rejectPart(source.part, `it decompresses to more than the limit of ${maxBytes} bytes`);
    yield chunk;
  }
}

async function openZip(
  { part, path }: ByteSource & { readonly path: string },
  maxBytes: number,
): Promise<FileArchive> {
  const reject: Reject = (defect, cause) => rejectPart(part, defect, cause);
  await using file = await open(path);
  const { size } = await file.stat();
  const tailOffset = Math.max(0, size - TAIL_BYTES);
  const range = findDirectory(await readRange(file, tailOffset, size), tailOffset, reject);
  if (range.count > MAX_ARCHIVE_FILES) rejectCount(part);
  if (range.end - range.start > MAX_DIRECTORY_BYTES)
    reject(`the names of its files take more than ${MAX_DIRECTORY_BYTES} bytes`);
  const directory = await readRange(file, range.start, range.end);
  const all = [...readEntries(directory, range.start, range, reject)];
  checkEntries(all, range, maxBytes, reject);
  const [links, others] = [all.filter(({ isLink }) => isLink), all.filter(({ isLink }) => !isLink)];
  const entries = others.filter(({ name }) => !/[/\\]$/.test(name));
  return {
    files: entries.map(({ name, bytes }) => ({ name, bytes })),
    skipped: {
      count: links.length,
      first: links.slice(0, MAX_NAMED).map(({ name }) => ({ name, kind: 'link' })),
    },
    async *read(wanted) {
      const chosen = [...entries.keys()].filter((index) => wanted(index) > 0);
      chosen.sort((a, b) => entries[a]!.offset - entries[b]!.offset);
      await using opened = await open(path);
      for (const index of chosen) {
        const entry = entries[index]!;
        const bytes = wanted(index);
        const isWhole = bytes >= entry.bytes;
        yield {
          index,
          bytes: await (isWhole
            ? unpack(opened, size, entry, reject)
            : unpackStart(opened, size, entry, bytes, reject)),
        };
      }
    },
    source(index, name = part) {
      const entry = entries[index]!;
      const { offset, bytes, compressedBytes, checksum, method } = entry;
      return {
        part: name,
        bytes,
        async *open() {
          await using opened = await open(path);
          const header = await readRange(opened, offset, Math.min(size, offset + LOCAL_HEADER_BYTES));
          const start = compressedStart(entry, header, size, reject);
          const compressed = fileSource(name, path, compressedBytes, start);
          yield* zipEntrySource(compressed, {
            bytes,
            checksum,
            deflated: method === METHODS.deflated,
          }).open();
        },
      };
    },
  };
}

async function unpack(
  file: FileHandle,
  size: number,
  entry: DirectoryEntry,
  reject: Reject,
): Promise<Uint8Array> {
  const { name, offset, bytes, compressedBytes } = entry;
  const header = await readRange(file, offset, Math.min(size, offset + LOCAL_HEADER_BYTES));
  const start = compressedStart(entry, header, size, reject);
  // Deflate never takes much more than the data itself, and all of it is held in memory.
  if (compressedBytes > 2 * bytes + 1024) reject(`the entry ${quote(name)} is damaged`);
  return unpackEntry(entry, await readRange(file, start, start + compressedBytes), reject);
}

/** The first bytes of an entry, or none if it is damaged. Its checksum is not verified. */
async function unpackStart(
  file: FileHandle,
  size: number,
  entry: DirectoryEntry,
  bytes: number,
  reject: Reject,
): Promise<Uint8Array> {
  const { offset, method, compressedBytes } = entry;
  const header = await readRange(file, offset, Math.min(size, offset + LOCAL_HEADER_BYTES));
  const start = compressedStart(entry, header, size, reject);
  // Deflate never takes much more than the data itself, after the tables of a block.
  const compressed = await readRange(file, start, start + Math.min(compressedBytes, 2 * bytes + 1024));
  if (method === METHODS.stored) return compressed.subarray(0, bytes);
  try {
    return inflateRawSync(compressed, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, bytes);
  } catch {
    return new Uint8Array(0);
  }
}

function rejectRepeated(part: string, files: readonly ArchiveFile[]): void {
  const names = new Set<string>();
  for (const { name } of files) {
    if (names.has(name)) rejectPart(part, `the archive has two entries ${quote(name)}`);
    names.add(name);
  }
}

function rejectCount(part: string): never {
  const most = MAX_ARCHIVE_FILES.toLocaleString('en');
  return rejectPart(part, `the archive has more than ${most} files, the limit`);
}
