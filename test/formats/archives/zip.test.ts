import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { memorySource, openFile, type RangeSource } from '../../../src/formats/archives/range-source.ts';
import { readEntry, readEntryStart, streamEntry } from '../../../src/formats/archives/zip.ts';
import { findDirectory, readDirectory } from '../../../src/formats/archives/zip-directory.ts';
import type { ZipEntry } from '../../../src/formats/archives/zip-entries.ts';
import { rejectModelFile } from '../../../src/formats/models/file-error.ts';
import { isAtelierError, temporaryFolder } from '../../datasets/fixtures.ts';
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

function readAll(archive: RangeSource): [name: string, content: Buffer][] {
  const entries = readDirectory(archive, findDirectory(archive), LIMIT);
  return entries.map((entry) => [entry.name, Buffer.from(readEntry(archive, entry))]);
}
const inMemory = (archive: Uint8Array) => memorySource(archive, rejectModelFile);

function refusal(archive: Uint8Array, message: RegExp): void {
  assert.throws(() => readAll(inMemory(archive)), isAtelierError('invalid-model-file', message));
}

for (const level of [0, 6] as const) {
  test(`reads entries in order, at level ${level}, also with a comment`, () => {
    const archive = Buffer.from(zipSync(files, { level }));
    const commented = Buffer.concat([archive, Buffer.from('PK\x05\x06 is not the end')]);
    commented.writeUInt16LE(commented.length - archive.length, archive.length - 2);
    for (const each of [archive, commented]) assert.deepEqual(readAll(inMemory(each)), Object.entries(files));
  });
}

test('skips extra fields and comments of entries, and reads an archive without entries', () => {
  const extra = { 28789: Buffer.from('six by'), 21589: Buffer.from('time') };
  const archive = zipSync({
    'a.npy': [files['a.npy'], { extra, comment: 'first' }],
    'b.npy': [files['b.npy'], { extra, comment: 'second' }],
  });
  assert.deepEqual(readAll(inMemory(archive)), Object.entries(files));
  assert.deepEqual(readAll(inMemory(zipSync({}))), []);
});

test('reads as many bytes and as long a comment as are allowed', () => {
  const full = zipSync({ 'a.npy': new Uint8Array(LIMIT) });
  assert.equal(readAll(inMemory(full))[0]![1].length, LIMIT);
  refusal(
    zipSync({ 'a.npy': new Uint8Array(LIMIT + 1) }),
    /decompresses to 1048577 bytes; the limit is 1048576/,
  );
  const commented = Buffer.concat([zipSync(files), Buffer.alloc(0xffff)]);
  commented.writeUInt16LE(0xffff, commented.length - 0xffff - 2);
  assert.equal(readAll(inMemory(commented)).length, 2);
});

test('the Zip64 extra field has only the numbers that do not fit, and may follow other fields', () => {
  const [content, name] = [Buffer.from('content'), 'a.npy'];
  const room = { 28789: Buffer.alloc(3), 1: Buffer.alloc(8) };
  const archive = Buffer.from(zipSync({ [name]: [content, { extra: room, level: 0 }] }));
  const at = archive.lastIndexOf('PK\x01\x02');
  const field = archive.indexOf(Buffer.from([1, 0, 8, 0]), at);
  archive.writeUInt32LE(0xffff_ffff, at + SIZE);
  archive.writeBigUInt64LE(BigInt(content.length), field + 4);
  assert.deepEqual(readAll(inMemory(archive))[0]![1], content);
});

test('reads Zip64 archives, whose numbers are in the records of 64 bits', () => {
  for (const level of [0, 6] as const) {
    assert.deepEqual(readAll(inMemory(asZip64(zipSync(files, { level })))), Object.entries(files));
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
  ['there are too many entries', 'PK\x06\x06', 32, 2n ** 63n, /directory of the archive is damaged/],
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

test('rejects duplicate names, encryption and other methods', () => {
  const archive = Buffer.from(zipSync(files));
  for (let at = archive.indexOf('b.npy'); at >= 0; at = archive.indexOf('b.npy')) archive.write('a', at);
  refusal(archive, /two entries "a\.npy"/);
  refusal(changed(8, 1), /"a\.npy" is encrypted/);
  refusal(changed(10, 12), /"a\.npy" is compressed with method 12; use deflate/);
});

test('reads a file like memory, whole and from the start', (t) => {
  const folder = temporaryFolder(t);
  for (const level of [0, 6] as const) {
    const path = join(folder, `${level}`);
    writeFileSync(path, zipSync(files, { level }));
    using file = openFile(path, rejectModelFile);
    assert.deepEqual(readAll(file), Object.entries(files));
    const starts = readDirectory(file, findDirectory(file), LIMIT).map((entry) =>
      Buffer.from(readEntryStart(file, entry, 3)).toString(),
    );
    assert.deepEqual(starts, ['fir', 'sec']);
  }
});

test('a range ends with the file, or the memory', (t) => {
  const path = join(temporaryFolder(t), 'file');
  writeFileSync(path, '0123456789');
  using file = openFile(path, rejectModelFile);
  for (const { bytes, read } of [file, inMemory(Buffer.from('0123456789'))]) {
    assert.equal(bytes, 10);
    for (const [start, end, expected] of [
      [2, 5, '234'],
      [8, 20, '89'],
      [5, 3, ''],
    ] as const)
      assert.equal(Buffer.from(read(start, end)).toString(), expected);
  }
});

test('a stream has the declared size and checksum of its entry', async () => {
  const content = Buffer.from('content');
  const entry = {
    ...{ name: 'a', method: 0, encrypted: false, isLink: false, offset: 0 },
    ...{ checksum: crc32(content), compressedBytes: content.length, bytes: content.length },
  };
  const stream = (bytes: Uint8Array, changes: Partial<ZipEntry> = {}) =>
    text(
      streamEntry(
        { ...entry, ...changes },
        Readable.from(bytes.values().map((byte) => Uint8Array.of(byte))),
        rejectModelFile,
      ),
    );
  assert.equal(await stream(content), 'content');
  assert.equal(await stream(deflateRawSync(content), { method: 8 }), 'content');
  for (const [changes, message] of [
    [{ bytes: 6 }, /it decompresses to more than its declared 6 bytes/],
    [{ bytes: 8 }, /it is damaged/],
    [{ checksum: 1 }, /it is damaged/],
    [{ method: 8 }, /its compressed data is damaged or truncated/],
  ] as const)
    await assert.rejects(stream(content, changes), isAtelierError('invalid-model-file', message));
});
