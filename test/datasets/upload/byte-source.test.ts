import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import {
  type ByteSource,
  fileSource,
  gunzippedSource,
  readHead,
  readRange,
  zipEntrySource,
} from '../../../src/datasets/upload/byte-source.ts';
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

test('a range ends with the file', async () => {
  await using file = await open(path);
  for (const [start, end, bytes] of [
    [2, 5, '234'],
    [8, 20, '89'],
    [5, 3, ''],
  ] as const)
    assert.equal((await readRange(file, start, end)).toString(), bytes);
});

test('an entry has its declared size and checksum, compressed or not', async () => {
  const content = Buffer.from('content');
  const facts = { bytes: content.length, checksum: crc32(content), deflated: false };
  const stored = inMemory(content);
  assert.equal(await text(zipEntrySource(stored, facts)), 'content');
  const deflated = inMemory(deflateRawSync(content));
  assert.equal(await text(zipEntrySource(deflated, { ...facts, deflated: true })), 'content');
  for (const [changes, message] of [
    [{ bytes: 6 }, 'it decompresses to more than its declared 6 bytes'],
    [{ bytes: 8 }, 'it is damaged'],
    [{ checksum: 1 }, 'it is damaged'],
    [{ deflated: true }, 'its compressed data is damaged or truncated'],
  ] as const)
    await assert.rejects(
      text(zipEntrySource(stored, { ...facts, ...changes })),
      isAtelierError('invalid-dataset-file', new RegExp(message)),
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
