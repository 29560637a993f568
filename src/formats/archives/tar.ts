/**
 * Streaming reader of tar archives: v7, ustar, GNU long names, pax paths and sizes.
 * Format: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, sections ustar and pax
 */
import type { Reject } from '../models/file-error.ts';

export interface TarEntry {
  readonly name: string;
  readonly bytes: number;
  readonly kind: 'file' | 'folder' | 'link' | 'sparse file' | 'special file';
  /** Position of its content in the archive. */
  readonly start: number;
  /** Reads the content, or its first bytes. Call it before the next entry is requested; otherwise it is skipped. */
  read(bytes?: number): Promise<Uint8Array>;
}

const BLOCK = 512;
/** Limit of a name or of a pax record, held in memory. */
const MAX_RECORD_BYTES = 64 * 1024;
const CHECKSUM = { offset: 148, bytes: 8 };
const KINDS: Readonly<Record<string, TarEntry['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'link',
  '5': 'folder',
  D: 'folder',
  S: 'sparse file',
};
/** In a header of a sparse file and in the blocks that continue its list of holes: whether such a block follows. */
const CONTINUED = { header: 482, block: 504 };

/** Whether the block is a header of a tar archive, by its checksum. */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < BLOCK) return false;
  const stored = readOctal(block, CHECKSUM.offset, CHECKSUM.bytes);
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) {
    if (i < CHECKSUM.offset || i >= CHECKSUM.offset + CHECKSUM.bytes) sum += block[i]!;
  }
  return stored === sum;
}

/** @param reject called if the archive is damaged or truncated */
export async function* readTar(chunks: AsyncIterable<Uint8Array>, reject: Reject): AsyncGenerator<TarEntry> {
  const input = createInput(chunks, reject);
  /** Properties that records before an entry give. */
  let given: PaxRecords = {};
  try {
    for (;;) {
      const header = await input.take(BLOCK, true);
      // Two blocks of zeros end the archive; some writers omit them.
      if (header.length === 0 || header.every((byte) => byte === 0)) return;
      if (!isTarHeader(header)) reject('the tar archive is damaged: a header has a wrong checksum');
      const type = String.fromCharCode(header[156]!);
      const declared = readSize(header, reject);
      if (type === 'L' || type === 'K' || type === 'x' || type === 'g') {
        if (declared > MAX_RECORD_BYTES)
          reject(`the tar archive has a record of ${declared} bytes; the limit is ${MAX_RECORD_BYTES}`);
        const record = await input.take(declared);
        await input.skip(padding(declared));
        if (type === 'L') given.path = text(record);
        if (type === 'x') given = { ...given, ...readPax(record, reject) };
        continue;
      }
      if (type === 'S') {
        let isContinued = header[CONTINUED.header] === 1;
        while (isContinued) isContinued = (await input.take(BLOCK))[CONTINUED.block] === 1;
      }
      const found = KINDS[type] ?? 'special file';
      const name = given.path ?? headerName(header);
      // Links and folders have no content, whatever their size says.
      const bytes = found === 'file' || found === 'sparse file' ? (given.size ?? declared) : 0;
      let left = bytes;
      yield {
        name,
        bytes,
        start: input.position(),
        // Archives of the seventh edition mark a folder by its name.
        kind: given.isSparse ? 'sparse file' : found === 'file' && name.endsWith('/') ? 'folder' : found,
        async read(wanted = bytes) {
          const taken = Math.min(wanted, bytes);
          left -= taken;
          return input.take(taken);
        },
      };
      await input.skip(left + padding(bytes));
      given = {};
    }
  } finally {
    await input.close();
  }
}

/** Reads given numbers of bytes from a stream of chunks. */
function createInput(chunks: AsyncIterable<Uint8Array>, reject: Reject) {
  const iterator = chunks[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  let position = 0;
  async function more(): Promise<boolean> {
    while (chunk.length === 0) {
      const { done, value } = await iterator.next();
      if (done) return false;
      chunk = value;
    }
    return true;
  }
  function cut(bytes: number): Uint8Array {
    const part = chunk.subarray(0, bytes);
    chunk = chunk.subarray(part.length);
    position += part.length;
    return part;
  }
  return {
    position: () => position,
    /** @param atEnd whether the stream may end before the first byte; the result is then empty */
    async take(bytes: number, atEnd = false): Promise<Uint8Array> {
      const taken = new Uint8Array(bytes);
      for (let at = 0; at < bytes; ) {
        if (!(await more()))
          return at === 0 && atEnd ? taken.subarray(0, 0) : reject('the tar archive is truncated');
        const part = cut(bytes - at);
        taken.set(part, at);
        at += part.length;
      }
      return taken;
    },
    async skip(bytes: number): Promise<void> {
      for (let left = bytes; left > 0; ) {
        if (!(await more())) reject('the tar archive is truncated');
        left -= cut(left).length;
      }
    },
    close: async () => void (await iterator.return?.()),
  };
}

const padding = (bytes: number) => (BLOCK - (bytes % BLOCK)) % BLOCK;

/** Text up to the first NUL. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString();
}

function headerName(header: Uint8Array): string {
  const name = text(header.subarray(0, 100));
  const isUstar = Buffer.from(header.subarray(257, 263)).toString('latin1') === 'ustar\0';
  const prefix = isUstar ? text(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Spaces and NULs surround the digits. @returns NaN without digits */
function readOctal(header: Uint8Array, at: number, length: number): number {
  const field = Buffer.from(header.subarray(at, at + length)).toString('latin1');
  const digits = /^[\0 ]*([0-7]+)(?:[\0 ]|$)/.exec(field)?.[1];
  return digits === undefined ? Number.NaN : Number.parseInt(digits, 8);
}

/** Octal digits or, for 8 GiB and more, a big-endian number with the highest bit set. */
function readSize(header: Uint8Array, reject: Reject): number {
  const field = header.subarray(124, 136);
  const size =
    (field[0]! & 0x80) === 0
      ? readOctal(header, 124, 12)
      : field.reduce((value, byte, i) => value * 256 + (i === 0 ? byte & 0x7f : byte), 0);
  return Number.isSafeInteger(size) ? size : reject('the tar archive is damaged: an entry has no valid size');
}

interface PaxRecords {
  path?: string;
  size?: number;
  isSparse?: boolean;
}

/** Records `length key=value\n`, where the length counts itself. */
function readPax(record: Uint8Array, reject: Reject): PaxRecords {
  const found: PaxRecords = {};
  let sparseName: string | undefined;
  for (let at = 0; at < record.length; ) {
    const space = record.indexOf(0x20, at);
    const length = Number(Buffer.from(record.subarray(at, Math.max(at, space))).toString('latin1'));
    const isValid = space > at && Number.isInteger(length) && at + length <= record.length;
    if (!(isValid && at + length > space + 1))
      return reject('the tar archive is damaged: an extended header is not valid');
    const [key, value] = splitOnce(Buffer.from(record.subarray(space + 1, at + length - 1)).toString());
    if (key === 'path') found.path = value;
    if (key === 'size') found.size = Number(value);
    // GNU tar hides the name of a sparse file from other programs.
    if (key === 'GNU.sparse.name') sparseName = value;
    if (key.startsWith('GNU.sparse.')) found.isSparse = true;
    at += length;
  }
  if (found.size !== undefined && !(Number.isSafeInteger(found.size) && found.size >= 0))
    reject('the tar archive is damaged: an entry has no valid size');
  return sparseName === undefined ? found : { ...found, path: sparseName };
}

function splitOnce(record: string): [key: string, value: string] {
  const at = record.indexOf('=');
  return [record.slice(0, at), record.slice(at + 1)];
}
