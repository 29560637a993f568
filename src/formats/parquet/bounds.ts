/**
 * Bounds what a Parquet file can make its reader do: hyparquet allocates the lengths that a file declares, so a few bytes could
 * take all memory. Whatever passes takes memory and time in proportion to its bytes.
 * Formats: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md,
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/
 */
import type { Reject } from '../models/file-error.ts';

/** Types of the compact protocol. */
const [STOP, BOOLEAN, BYTE, DOUBLE, BINARY, LIST, STRUCT] = [0, 2, 3, 7, 8, 9, 12];
const MAX_DEPTH = 16;
const MAX_VARINT_BYTES = 10;
/** Structs, lists and texts: about 150 bytes each. */
const MAX_OBJECTS = 1_000_000;

/**
 * The position after a struct of the compact protocol.
 * @returns undefined if it continues after the bytes
 */
export function endOfStruct(bytes: Uint8Array, start: number, reject: Reject): number | undefined {
  let [at, objects] = [start, 0];
  const varint = (): number => {
    let value = 0;
    for (let read = 0; read < MAX_VARINT_BYTES; read++) {
      const byte = bytes[at++]!;
      // As hyparquet reads it: lengths have 32 bits.
      value |= (byte & 0x7f) << (7 * read);
      if ((byte & 0x80) === 0 || at > bytes.length) return value;
    }
    return reject('a number in it is too long');
  };
  const skip = (type: number, depth: number): void => {
    if (type === BYTE) at++;
    else if (type > BYTE && type < DOUBLE) varint();
    else if (type === DOUBLE) at += 8;
    else if (type === BINARY || type === LIST || type === STRUCT) {
      if (++objects > MAX_OBJECTS || depth > MAX_DEPTH) reject('its metadata is too large');
      if (type === BINARY) skipBytes(varint());
      else if (type === LIST) skipList(depth);
      else skipStruct(depth);
    } else if (type > BOOLEAN) reject('its metadata is damaged');
  };
  const skipBytes = (length: number) => {
    if (length < 0) reject('a text in its metadata has a negative length');
    at += length;
  };
  const skipList = (depth: number) => {
    const head = bytes[at++]!;
    const type = head & 0x0f;
    const size = head >> 4 === 15 ? varint() : head >> 4;
    if (size < 0) reject('a list in its metadata has a negative length');
    for (let i = 0; i < size && at <= bytes.length; i++) skip(type <= BOOLEAN ? BYTE : type, depth + 1);
  };
  const skipStruct = (depth: number) => {
    while (at < bytes.length) {
      const head = bytes[at++]!;
      if ((head & 0x0f) === STOP) return;
      if (head >> 4 === 0) varint();
      skip(head & 0x0f, depth + 1);
    }
    at = Number.POSITIVE_INFINITY;
  };
  skipStruct(0);
  return at > bytes.length ? undefined : at;
}

/**
 * Walks numbers in the hybrid of runs and packed bits: there are no more than `count`, and no run is longer than the rest.
 * @returns the position after them
 */
function endOfRuns(
  bytes: Uint8Array,
  start: number,
  end: number,
  width: number,
  count: number,
  reject: Reject,
): number {
  const damaged = (): never => reject('a page has damaged runs');
  if (width > 32 || end > bytes.length) damaged();
  let [at, seen] = [start, 0];
  while (seen < count && at < end) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 28) damaged();
      header |= (byte! & 0x7f) << shift;
      if ((byte! & 0x80) === 0) break;
    }
    const isPacked = (header & 1) === 1;
    const length = header >>> 1;
    // Writers fill the last block: usually of 8 values, DuckDB of 256.
    if (header < 0 || (isPacked ? 8 * length > count - seen + 255 : length > count - seen)) damaged();
    seen += isPacked ? 8 * length : length;
    at += isPacked ? length * width : (width + 7) >> 3;
  }
  return at;
}

/** The parts of a header of a data page that its length depends on. */
export interface PageLayout {
  readonly values: number;
  readonly encoding: string;
  /** Bytes of the levels in version 2; in version 1 their length is before them. */
  readonly levelBytes?: readonly [repetition: number, definition: number];
}

/** Encodings whose output is bounded by the number of values. */
const PLAIN = new Set(['PLAIN', 'BYTE_STREAM_SPLIT', 'DELTA_LENGTH_BYTE_ARRAY']);
const DICTIONARY = new Set(['PLAIN_DICTIONARY', 'RLE_DICTIONARY']);

/**
 * Checks a decompressed page.
 * @param maxLevels greatest repetition and definition level of its column
 */
export function checkPage(
  page: Uint8Array,
  { values, encoding, levelBytes }: PageLayout,
  maxLevels: readonly [repetition: number, definition: number],
  reject: Reject,
): void {
  if (!PLAIN.has(encoding) && !DICTIONARY.has(encoding))
    reject(
      `its pages have the encoding ${encoding}, which is not read; write it with plain values or a dictionary`,
    );
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  let at = 0;
  for (const [kind, greatest] of maxLevels.entries()) {
    if (greatest === 0 && !levelBytes) continue;
    if (!levelBytes && at + 4 > page.length) reject('a page is too short');
    const length = levelBytes?.[kind] ?? view.getUint32(at, true);
    if (!levelBytes) at += 4;
    const width = 32 - Math.clz32(greatest);
    if (greatest > 0 && endOfRuns(page, at, at + length, width, values, reject) > at + length)
      reject('a page has levels that are too long');
    at += length;
  }
  if (DICTIONARY.has(encoding) && at < page.length)
    endOfRuns(page, at + 1, page.length, page[at]!, values, reject);
}
