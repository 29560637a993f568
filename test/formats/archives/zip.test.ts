import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import { readZip } from '../../../src/formats/archives/zip.ts';
import { rejectModelFile } from '../../../src/formats/models/file-error.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { asZip64, changedZip64 } from '../zip64-archive.ts';

const LIMIT = 2 ** 20;
const files = { 'a.npy': Buffer.from('first'), 'b.npy': Buffer.alloc(5000, 'second') };
const [SIGNATURE, CHECKSUM, PACKED, SIZE, OFFSET] = [0, 16, 20, 24, 42];

/** The archive with one changed field in the first entry of its central directory. */
function changed(at: number, value: number, archive: Uint8Array = zipSync(files)): Uint8Array {
  const copy = Buffer.from(archive);
  copy.writeUInt32LE(value, copy.indexOf('PK\x01\x02') + at);
  return copy;
}

function refusal(archive: Uint8Array, message: RegExp): void {
  assert.throws(
    () => readZip(archive, LIMIT, rejectModelFile),
    isAtelierError('invalid-model-file', message),
  );
}

for (const level of [0, 6] as const) {
  test(`reads entries in order, at level ${level}, also with a comment`, () => {
    const archive = Buffer.from(zipSync(files, { level }));
    const commented = Buffer.concat([archive, Buffer.from('PK\x05\x06 is not the end')]);
    commented.writeUInt16LE(commented.length - archive.length, archive.length - 2);
    for (const each of [archive, commented]) {
      const read = readZip(each, LIMIT, rejectModelFile).map(({ name, bytes }) => [name, Buffer.from(bytes)]);
      assert.deepEqual(read, Object.entries(files));
    }
  });
}

test('skips extra fields and comments of entries, and reads an archive without entries', () => {
  const extra = { 28789: Buffer.from('six by'), 21589: Buffer.from('time') };
  const archive = zipSync({
    'a.npy': [files['a.npy'], { extra, comment: 'first' }],
    'b.npy': [files['b.npy'], { extra, comment: 'second' }],
  });
  assert.deepEqual(
    readZip(archive, LIMIT, rejectModelFile).map(({ name, bytes }) => [name, Buffer.from(bytes)]),
    Object.entries(files),
  );
  assert.deepEqual(readZip(zipSync({}), LIMIT, rejectModelFile), []);
});

test('reads as many bytes, entries and bytes of a comment as are allowed', () => {
  const full = zipSync({ 'a.npy': new Uint8Array(LIMIT) });
  assert.equal(readZip(full, LIMIT, rejectModelFile)[0]!.bytes.length, LIMIT);
  refusal(
    zipSync({ 'a.npy': new Uint8Array(LIMIT + 1) }),
    /decompresses to 1048577 bytes; the limit is 1048576/,
  );
  const names = Array.from({ length: 128 }, (_, i) => `${i}.npy`);
  const many = zipSync(Object.fromEntries(names.map((name) => [name, new Uint8Array(0)])));
  assert.equal(readZip(many, LIMIT, rejectModelFile).length, 128);
  const commented = Buffer.concat([zipSync(files), Buffer.alloc(0xffff)]);
  commented.writeUInt16LE(0xffff, commented.length - 0xffff - 2);
  assert.equal(readZip(commented, LIMIT, rejectModelFile).length, 2);
});

test('the Zip64 extra field has only the numbers that do not fit, and may follow other fields', () => {
  const [content, name] = [Buffer.from('content'), 'a.npy'];
  const room = { 28789: Buffer.alloc(3), 1: Buffer.alloc(8) };
  const archive = Buffer.from(zipSync({ [name]: [content, { extra: room, level: 0 }] }));
  const at = archive.lastIndexOf('PK\x01\x02');
  const field = archive.indexOf(Buffer.from([1, 0, 8, 0]), at);
  archive.writeUInt32LE(0xffff_ffff, at + SIZE);
  archive.writeBigUInt64LE(BigInt(content.length), field + 4);
  assert.deepEqual(Buffer.from(readZip(archive, LIMIT, rejectModelFile)[0]!.bytes), content);
});

test('reads Zip64 archives, whose numbers are in the records of 64 bits', () => {
  for (const level of [0, 6] as const) {
    const read = readZip(asZip64(zipSync(files, { level })), LIMIT, rejectModelFile);
    assert.deepEqual(
      read.map(({ name, bytes }) => [name, Buffer.from(bytes)]),
      Object.entries(files),
    );
  }
});

for (const [defect, signature, at, value, message] of [
  [
    'an entry decompresses to 2⁶⁴ − 1 bytes',
    '\x01\0\x18\0',
    4,
    2n ** 64n - 1n,
    /it decompresses to 184\d+ bytes/,
  ],
  ['an entry exceeds the archive', '\x01\0\x18\0', 12, 2n ** 40n, /"a\.npy" is truncated/],
  ['an entry is outside of the archive', '\x01\0\x18\0', 20, 2n ** 53n, /"a\.npy" is not at the offset/],
  ['an entry is in the directory', '\x01\0\x18\0', 20, 5100n, /"a\.npy" is not at the offset/],
  ['the end record is longer', 'PK\x06\x06', 4, 45n, /directory of the archive is damaged/],
  ['there are more entries', 'PK\x06\x06', 32, 3n, /directory of the archive is damaged/],
  ['there are too many entries', 'PK\x06\x06', 32, 2n ** 63n, /entries; the limit is 128/],
  ['the directory is elsewhere', 'PK\x06\x06', 48, 2n ** 62n, /directory of the archive is damaged/],
  ['the end record is elsewhere', 'PK\x06\x07', 8, 0n, /directory of the archive is damaged/],
  ['the end record is outside', 'PK\x06\x07', 8, 2n ** 64n - 1n, /directory of the archive is damaged/],
] as const) {
  test(`rejects a Zip64 archive if ${defect}`, () => {
    refusal(changedZip64(asZip64(zipSync(files, { level: 0 })), signature, at, value), message);
  });
}

test('rejects a Zip64 archive whose plain end record or extra field contradicts it', () => {
  const archive = asZip64(zipSync(files));
  const [end, extra] = [archive.lastIndexOf('PK\x05\x06'), archive.indexOf('\x01\0\x18\0', 0, 'latin1')];
  const changedAt = (at: number, value: number) => {
    const copy = Buffer.from(archive);
    copy.writeUInt16LE(value, at);
    return copy;
  };
  refusal(changedAt(end + 10, 1), /directory of the archive is damaged/);
  refusal(changedAt(end + 16, 1), /directory of the archive is damaged/);
  refusal(changedAt(extra + 2, 16), /directory of the archive is damaged/);
  refusal(changedAt(extra + 2, 0xffff), /directory of the archive is damaged/);
});

test('rejects entries that share bytes', () => {
  const archive = Buffer.from(zipSync(files));
  archive.writeUInt32LE(1, archive.lastIndexOf('PK\x01\x02') + OFFSET);
  refusal(archive, /the entries "a\.npy" and "b\.npy" overlap/);
});

test('rejects a bomb by its declared size, before decompressing', () => {
  const bomb = zipSync({ 'a.npy': new Uint8Array(2 * LIMIT) });
  assert.ok(bomb.length < LIMIT / 100);
  refusal(bomb, /it decompresses to 2097152 bytes; the limit is 1048576/);
  refusal(changed(SIZE, 0xffff_ffff), /it decompresses to 4294972295 bytes/);
});

test('stops decompressing a bomb at its declared size', () => {
  refusal(
    changed(SIZE, 100, zipSync({ 'a.npy': new Uint8Array(2 * LIMIT) })),
    /does not decompress to its declared 100 bytes/,
  );
});

test('rejects damaged, truncated and moved entries', () => {
  const archive = zipSync(files);
  refusal(changed(CHECKSUM, 1), /"a\.npy" is damaged/);
  refusal(changed(SIZE, 6), /"a\.npy" is damaged/);
  refusal(changed(PACKED, 1_000_000), /"a\.npy" is truncated/);
  refusal(changed(OFFSET, 1), /"a\.npy" is not at the offset in the directory/);
  refusal(changed(OFFSET, 0xffff_fff0), /"a\.npy" is not at the offset in the directory/);
  refusal(changed(SIGNATURE, 0), /the directory of the archive is damaged/);
  refusal(archive.subarray(0, -1), /has no directory; it may be truncated/);
  refusal(archive.subarray(0, 10), /has no directory/);
});

test('rejects duplicate names, encryption, other methods and too many entries', () => {
  const archive = Buffer.from(zipSync(files));
  for (let at = archive.indexOf('b.npy'); at >= 0; at = archive.indexOf('b.npy')) archive.write('a', at);
  refusal(archive, /two entries "a\.npy"/);
  refusal(changed(8, 1), /"a\.npy" is encrypted/);
  refusal(changed(10, 12), /"a\.npy" is compressed with method 12; use deflate/);
  const many = Array.from({ length: 129 }, (_, i) => [`${i}.npy`, new Uint8Array(1)]);
  refusal(zipSync(Object.fromEntries(many)), /129 entries; the limit is 128/);
});
