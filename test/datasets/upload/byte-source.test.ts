import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import {
  type ByteSource,
  fileSource,
  gunzippedSource,
  readHead,
  zipEntrySource,
} from '../../../src/datasets/upload/byte-source.ts';
import { rejectAs } from '../../../src/datasets/upload/reject-part.ts';
import { isAtelierError } from '../fixtures.ts';

const folder = await mkdtemp(join(tmpdir(), 'atelier-bytes-'));
after(() => rm(folder, { recursive: true }));
const path = join(folder, 'file');
await writeFile(path, '0123456789');
const text = async (source: ByteSource) => Buffer.concat(await Array.fromAsync(source.open())).toString();
const inMemory = (bytes: Uint8Array): ByteSource => ({
  part: 'x',
  bytes: bytes.length,
  async *open() {
    for (const byte of bytes) yield Uint8Array.of(byte);
  },
});

test('a source is a range of a file, which may be empty', async () => {
  assert.equal(await text(fileSource('x', path, 10)), '0123456789');
  assert.equal(await text(fileSource('x', path, 3, 4)), '456');
  assert.equal(await text(fileSource('x', path, 0, 4)), '');
});

test('the head has at most as many bytes as are wanted', async () => {
  const source = inMemory(Buffer.from('abcdef'));
  for (const [limit, head] of [
    [0, ''],
    [4, 'abcd'],
    [6, 'abcdef'],
    [9, 'abcdef'],
  ] as const)
    assert.equal((await readHead(source, limit)).toString(), head);
  assert.equal((await readHead(fileSource('x', path, 10), 4)).toString(), '0123');
});

test('an entry of a zip archive has the name of its part, and the archive its own', async () => {
  const archive = Buffer.from(zipSync({ a: Buffer.from('content') }));
  const path = join(folder, 'archive');
  const read = async (bytes: Uint8Array) => {
    await writeFile(path, bytes);
    const entry = { name: 'a', method: 8, encrypted: false, isLink: false, offset: 0 };
    const sizes = { bytes: 7, compressedBytes: deflateRawSync('content').length, checksum: crc32('content') };
    return text(zipEntrySource('x', path, { ...entry, ...sizes }, rejectAs('file')));
  };
  assert.equal(await read(archive), 'content');
  const start = archive.indexOf('a') + 1;
  await assert.rejects(
    read(archive.with(start, 0xff)),
    isAtelierError('invalid-dataset-file', /its compressed data is damaged or truncated/, '#/x'),
  );
  await assert.rejects(
    read(archive.with(0, 0)),
    isAtelierError('invalid-dataset-file', /the entry "a" is not at the offset in the directory/, '#/file'),
  );
});

test('a gzip file is decompressed, and its damage is named', async () => {
  const compressed = gzipSync('content');
  assert.equal(await text(gunzippedSource(inMemory(compressed))), 'content');
  await assert.rejects(
    text(gunzippedSource(inMemory(compressed.subarray(0, -1)))),
    isAtelierError('invalid-dataset-file', /its compressed data is damaged or truncated/),
  );
});
