import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import { npzBytes, parseNpz, unpackNpz } from '../../../src/formats/arrays/npz.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { npyEntry, tensor } from '../fixtures.ts';
import { asZip64, changedZip64 } from '../zip64-archive.ts';

const W1 = npyEntry('W1', Float32Array.of(1, 2), [2]);

function refusal(archive: Uint8Array, message: RegExp): void {
  assert.throws(() => parseNpz(archive), isAtelierError('invalid-model-file', message));
}

test('arrays are stored in their order, without the time', () => {
  const tensors = [tensor('W1', 2, 3), tensor('b1', 2)];
  const archive = npzBytes(tensors);
  assert.deepEqual(parseNpz(archive), tensors);
  const view = new DataView(archive.buffer, archive.byteOffset);
  // APPNOTE 4.3.7: method 0, and the time and date of MS-DOS: midnight of January 1, 1980.
  assert.deepEqual(
    [8, 10, 12].map((at) => view.getUint16(at, true)),
    [0, 0, (1 << 5) + 1],
  );
});

test('counters of batch normalization are left out', () => {
  const archive = zipSync({ ...W1, ...npyEntry('a.num_batches_tracked', new Uint8Array(1), [1]) });
  assert.deepEqual(
    parseNpz(archive).map(({ name }) => name),
    ['W1'],
  );
  assert.deepEqual([...unpackNpz(archive).keys()], ['W1', 'a.num_batches_tracked']);
});

test('unpacks at most 256 MiB', () => {
  const values = new Float32Array(100_000);
  const archive = Buffer.from(zipSync(npyEntry('W1', values, [values.length])));
  assert.ok(archive.length < 2000);
  assert.equal(parseNpz(archive)[0]!.data.length, values.length);
  const size = archive.lastIndexOf('PK\x01\x02') + 24;
  archive.writeUInt32LE(2 ** 28, size);
  refusal(archive, /does not decompress to its declared|is damaged/);
  archive.writeUInt32LE(2 ** 28 + 1, size);
  refusal(archive, /it decompresses to 268435457 bytes; the limit is 268435456\.$/);
});

test('rejects what is not an array of floats, by its name', () => {
  refusal(
    zipSync({ ...W1, 'notes.txt': new Uint8Array(1) }),
    /the entry "notes\.txt" of the archive is not an \.npy array\.$/,
  );
  refusal(
    zipSync(npyEntry('W1', Uint8Array.of(1), [1])),
    /"W1": dtype \|u1 is not supported; use f2, f4 or f8\.$/,
  );
  const objects = Buffer.from(
    `\x93NUMPY\x01\0\x46\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}`,
    'latin1',
  );
  refusal(
    zipSync({ 'W1.npy': Buffer.concat([objects, Buffer.alloc(80 - objects.length, ' '), Buffer.alloc(1)]) }),
    /use f2, f4 or f8, and one array for each layer: coefs_0, intercepts_0, coefs_1, …\.$/,
  );
});

test('an archive has at most 128 entries', () => {
  const archive = (count: number) =>
    zipSync(
      Object.assign({}, ...Array.from({ length: count }, (_, n) => npyEntry(`${n}`, new Uint8Array(1), [1]))),
    );
  assert.equal(unpackNpz(archive(128)).size, 128);
  refusal(archive(129), /the archive has 129 entries; the limit is 128\.$/);
  const zip64 = changedZip64(asZip64(archive(2)), 'PK\x06\x06', 32, 2n ** 63n);
  refusal(zip64, /the archive has 9223372036854776000 entries; the limit is 128\.$/);
});
