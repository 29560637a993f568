import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import { readZip } from '../../src/formats/zip.ts';
import { isAtelierError } from '../datasets/fixtures.ts';

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
  assert.throws(() => readZip(archive, LIMIT), isAtelierError('invalid-model-file', message));
}

for (const level of [0, 6] as const) {
  test(`reads entries in order, at level ${level}, also with a comment`, () => {
    const archive = Buffer.from(zipSync(files, { level }));
    const commented = Buffer.concat([archive, Buffer.from('PK\x05\x06 is not the end')]);
    commented.writeUInt16LE(commented.length - archive.length, archive.length - 2);
    for (const each of [archive, commented]) {
      const read = readZip(each, LIMIT).map(({ name, bytes }) => [name, Buffer.from(bytes)]);
      assert.deepEqual(read, Object.entries(files));
    }
  });
}

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
  const many = Array.from({ length: 65 }, (_, i) => [`${i}.npy`, new Uint8Array(1)]);
  refusal(zipSync(Object.fromEntries(many)), /65 entries; the limit is 64/);
});
