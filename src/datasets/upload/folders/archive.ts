/** Archives of files, zip or tar, also compressed with gzip: their listing, and the contents of chosen files. */
import { openFile, type RangeSource } from '../../../formats/archives/range-source.ts';
import { isTarHeader, readTar } from '../../../formats/archives/tar.ts';
import { mostCompressed, readEntry, readEntryStart } from '../../../formats/archives/zip.ts';
import { compressedStart, findDirectory, readDirectory } from '../../../formats/archives/zip-directory.ts';
import { METHODS, type ZipEntry } from '../../../formats/archives/zip-entries.ts';
import { KIND_BYTES } from '../../../formats/file-kinds.ts';
import { quote, type Reject } from '../../../formats/models/file-error.ts';
import { type ByteSource, gunzippedSource, readHead, zipEntrySource } from '../byte-source.ts';
import { rejectAs, rejectPart } from '../reject-part.ts';

/** Limit of the files of an archive, whatever they hold. */
export const MAX_ARCHIVE_FILES = 1_000_000;
/** Limit of the directory of a zip archive, held in memory: the names have about 200 characters. */
const MAX_DIRECTORY_BYTES = 256 * MAX_ARCHIVE_FILES;
const TAR_BLOCK = 512;
const CHUNK_BYTES = 2 ** 16;
/** Suffices to describe a file. */
export const START_BYTES = KIND_BYTES;

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

/** Sets of files by their indices, or maps whose keys they are. */
export interface WantedFiles {
  readonly whole: Pick<ReadonlySet<number>, 'has'>;
  readonly starts?: Pick<ReadonlySet<number>, 'has'>;
}

export interface FileArchive {
  readonly files: readonly ArchiveFile[];
  readonly skipped: SkippedEntries;
  /** Reads files in the order of the archive: whole, or their first START_BYTES. */
  read(wanted: WantedFiles): AsyncIterable<{ index: number; bytes: Uint8Array }>;
  /** The content of one file as a stream. @param part its name in messages, by default that of the archive */
  source(index: number, part?: string): ByteSource;
  /** Position in the uploaded file of one that is not compressed; undefined for others. */
  start(index: number): number | undefined;
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
  if (head.toString('latin1', 0, 2) === 'PK') return openZip(source.part, source.path, maxBytes);
  if (isTarHeader(head)) return openTar(source, maxBytes, false);
  if (head[0] !== 0x1f || head[1] !== 0x8b) return undefined;
  const unpacked = gunzippedSource(source);
  return isTarHeader(await readHead(unpacked, TAR_BLOCK)) ? openTar(unpacked, maxBytes, true) : undefined;
}

async function openTar(source: ByteSource, maxBytes: number, isCompressed: boolean): Promise<FileArchive> {
  const { part } = source;
  const reject = rejectAs(part);
  const entries = () => readTar(limitBytes(source, maxBytes), reject);
  const files: ArchiveFile[] = [];
  const starts: number[] = [];
  const first: { name: string; kind: string }[] = [];
  let [total, count] = [0, 0];
  for await (const { name, bytes, kind, start } of entries()) {
    if (kind === 'folder') continue;
    if (kind !== 'file') {
      if (count++ < MAX_NAMED) first.push({ name, kind });
      continue;
    }
    total += bytes;
    if (total > maxBytes) reject(`its files take more than the limit of ${maxBytes} bytes`);
    starts.push(start);
    if (files.push({ name, bytes }) > MAX_ARCHIVE_FILES) rejectCount(reject);
  }
  rejectRepeated(files, reject);
  return {
    files,
    skipped: { count, first },
    start: (index) => (isCompressed ? undefined : starts[index]),
    async *read({ whole, starts }) {
      let index = -1;
      for await (const entry of entries()) {
        if (entry.kind !== 'file') continue;
        if (whole.has(++index)) yield { index, bytes: await entry.read() };
        else if (starts?.has(index)) yield { index, bytes: await entry.read(START_BYTES) };
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

function openZip(part: string, path: string, maxBytes: number): FileArchive {
  const reject = rejectAs(part);
  using opened = openFile(path, reject);
  const range = findDirectory(opened);
  if (range.count > MAX_ARCHIVE_FILES) rejectCount(reject);
  if (range.end - range.start > MAX_DIRECTORY_BYTES)
    reject(`the names of its files take more than ${MAX_DIRECTORY_BYTES} bytes`);
  const all = readDirectory(opened, range, maxBytes);
  const [links, others] = [all.filter(({ isLink }) => isLink), all.filter(({ isLink }) => !isLink)];
  const entries = others.filter(({ name }) => !/[/\\]$/.test(name));
  return {
    files: entries.map(({ name, bytes }) => ({ name, bytes })),
    skipped: {
      count: links.length,
      first: links.slice(0, MAX_NAMED).map(({ name }) => ({ name, kind: 'link' })),
    },
    async *read({ whole, starts }) {
      const isWanted = (index: number) => whole.has(index) || starts?.has(index);
      const chosen = [...entries.keys()].filter(isWanted);
      chosen.sort((a, b) => entries[a]!.offset - entries[b]!.offset);
      using archive = openFile(path, reject);
      for (const index of chosen) {
        const entry = entries[index]!;
        const isWhole = whole.has(index) || entry.bytes <= START_BYTES;
        const bytes = isWhole ? readWhole(archive, entry) : readEntryStart(archive, entry, START_BYTES);
        yield { index, bytes };
      }
    },
    source: (index, name = part) => zipEntrySource(name, path, entries[index]!, reject),
    start(index) {
      using archive = openFile(path, reject);
      const entry = entries[index]!;
      return entry.method === METHODS.stored ? compressedStart(archive, entry) : undefined;
    },
  };
}

function readWhole(archive: RangeSource, entry: ZipEntry): Uint8Array {
  // All of it is held in memory.
  if (entry.compressedBytes > mostCompressed(entry.bytes))
    archive.reject(`the entry ${quote(entry.name)} is damaged`);
  return readEntry(archive, entry);
}

function rejectRepeated(files: readonly ArchiveFile[], reject: Reject): void {
  const names = new Set<string>();
  for (const { name } of files) {
    if (names.has(name)) reject(`the archive has two entries ${quote(name)}`);
    names.add(name);
  }
}

function rejectCount(reject: Reject): never {
  const most = MAX_ARCHIVE_FILES.toLocaleString('en');
  return reject(`the archive has more than ${most} files, the limit`);
}
