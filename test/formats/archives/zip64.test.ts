import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DirectoryRange, readZip64End, readZip64Extra } from '../../../src/formats/archives/zip64.ts';

const UNKNOWN = 0xffff_ffff;
/** All bits of a plain end record set. */
const HIDDEN: DirectoryRange = { count: 0xffff, start: UNKNOWN, end: 0 };

const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

interface End {
  /** Bytes of the archive before the Zip64 end record that are not part of the view. */
  readonly before?: number;
  /** Bytes of the view before the record, and between the record's 56 bytes and the locator. */
  readonly padding?: number;
  readonly more?: number;
  readonly counted?: number;
  readonly offset?: number;
  readonly signatures?: readonly [record: number, locator: number];
}

/** The result of reading a Zip64 end record of 3 entries from byte 9 on. */
function readEnd(
  { before = 0, padding = 0, more = 0, counted, offset, signatures = [0x0606_4b50, 0x0706_4b50] }: End,
  plain = HIDDEN,
) {
  const bytes = Buffer.alloc(padding + 56 + more + 20);
  const locator = padding + 56 + more;
  bytes.writeUInt32LE(signatures[0], padding);
  bytes.writeBigUInt64LE(BigInt(counted ?? 44 + more), padding + 4);
  bytes.writeBigUInt64LE(3n, padding + 32);
  bytes.writeBigUInt64LE(9n, padding + 48);
  bytes.writeUInt32LE(signatures[1], locator);
  bytes.writeBigUInt64LE(BigInt(offset ?? before + padding), locator + 8);
  return readZip64End(viewOf(bytes), before, bytes.length, plain);
}

test('the Zip64 end record has the count and the start of the directory, which ends at it', () => {
  assert.deepEqual(readEnd({}), { count: 3, start: 9, end: 0 });
  assert.deepEqual(readEnd({ padding: 5 }), { count: 3, start: 9, end: 5 });
  assert.deepEqual(readEnd({ before: 1000, padding: 5 }), { count: 3, start: 9, end: 1005 });
});

test('the record may be longer, if it says so', () => {
  assert.deepEqual(readEnd({ padding: 7, more: 30 }), { count: 3, start: 9, end: 7 });
  assert.equal(readEnd({ padding: 7, more: 30, counted: 44 }), undefined);
  assert.equal(readEnd({ padding: 7, counted: 45 }), undefined);
});

test('without a locator there is no Zip64 end record', () => {
  assert.equal(readEnd({ signatures: [0x0606_4b50, 0] }), null);
  assert.equal(readZip64End(viewOf(Buffer.alloc(19)), 0, 19, HIDDEN), null);
});

test('a locator may be the first of the view, but then its record is not in it', () => {
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x0706_4b50);
  assert.equal(readZip64End(viewOf(locator), 0, 20, HIDDEN), undefined);
});

test('the record must lie whole between the start of the view and the locator', () => {
  assert.equal(readEnd({ signatures: [0x0606_4b51, 0x0706_4b50] }), undefined);
  assert.equal(readEnd({ before: 10, offset: 9 }), undefined);
  assert.equal(readEnd({ padding: 3, offset: 4 }), undefined);
  assert.equal(readEnd({ offset: 2 ** 52 }), undefined);
});

test('the plain end record may have the same numbers, but no others', () => {
  assert.deepEqual(readEnd({}, { count: 3, start: 9, end: 0 }), { count: 3, start: 9, end: 0 });
  assert.deepEqual(readEnd({}, { ...HIDDEN, count: 3 }), { count: 3, start: 9, end: 0 });
  assert.equal(readEnd({}, { ...HIDDEN, count: 4 }), undefined);
  assert.equal(readEnd({}, { ...HIDDEN, start: 8 }), undefined);
  assert.equal(readEnd({}, { ...HIDDEN, count: 0xfffe }), undefined);
  assert.equal(readEnd({}, { ...HIDDEN, start: 0xffff_fffe }), undefined);
});

/** Extra fields: each its number, and numbers of 64 bits. */
function extraOf(...fields: readonly (readonly [id: number, ...values: number[]])[]): DataView {
  const parts = fields.map(([id, ...values]) => {
    const bytes = Buffer.alloc(4 + 8 * values.length);
    bytes.writeUInt16LE(id);
    bytes.writeUInt16LE(8 * values.length, 2);
    for (const [n, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), 4 + 8 * n);
    return bytes;
  });
  return viewOf(Buffer.concat(parts));
}

test('the extra field replaces only the values that do not fit, in their order', () => {
  assert.deepEqual(readZip64Extra(extraOf([1, 10, 20]), [UNKNOWN, 5, UNKNOWN]), [10, 5, 20]);
  assert.deepEqual(readZip64Extra(extraOf([1, 2 ** 40]), [7, UNKNOWN, 8]), [7, 2 ** 40, 8]);
  assert.deepEqual(readZip64Extra(extraOf([1, 10]), [7, 0xffff_fffe, 8]), [7, 0xffff_fffe, 8]);
});

test('other extra fields before the one of Zip64 are skipped', () => {
  assert.deepEqual(readZip64Extra(extraOf([2, 99], [3], [1, 10]), [UNKNOWN]), [10]);
  assert.deepEqual(readZip64Extra(extraOf([2, 99]), [UNKNOWN, 6]), [UNKNOWN, 6]);
  assert.deepEqual(readZip64Extra(extraOf(), [UNKNOWN, 6]), [UNKNOWN, 6]);
  // Fewer than the four bytes of a field.
  assert.deepEqual(readZip64Extra(viewOf(Buffer.of(1, 0, 0)), [6]), [6]);
});

test('a field of no numbers is enough if all values fit', () => {
  assert.deepEqual(readZip64Extra(viewOf(Buffer.of(1, 0, 0, 0)), [6]), [6]);
  assert.equal(readZip64Extra(viewOf(Buffer.of(1, 0, 0, 0)), [UNKNOWN]), undefined);
});

test('a field that is too short, or ends behind the extra fields, is damaged', () => {
  assert.equal(readZip64Extra(extraOf([1, 10]), [UNKNOWN, UNKNOWN]), undefined);
  const cut = extraOf([1, 10, 20]);
  assert.equal(readZip64Extra(new DataView(cut.buffer, cut.byteOffset, 19), [UNKNOWN, UNKNOWN]), undefined);
});

test('a record that would extend into the locator is damaged', () => {
  // The record starts 40 bytes before the locator, and counts the 28 bytes behind its first 12.
  const bytes = Buffer.alloc(60);
  bytes.writeUInt32LE(0x0606_4b50);
  bytes.writeBigUInt64LE(28n, 4);
  bytes.writeUInt32LE(0x0706_4b50, 40);
  assert.equal(readZip64End(viewOf(bytes), 0, 60, HIDDEN), undefined);
});
