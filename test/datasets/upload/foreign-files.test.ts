/** Formats that are not read: what their error advises is run where Debian has the library. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { FOREIGN_FORMATS } from '../../../src/datasets/upload/foreign-files.ts';
import { isAtelierError, temporaryFolder } from '../fixtures.ts';
import { check } from './fixtures.ts';

for (const [start, kind] of [
  ['\x80\x04\x95', /a pickle, which could run code.*\nimport pickle.*\nnumpy\.savez/s],
  ['MATLAB 5.0 MAT-file', /a \.mat file of MATLAB.*scipy\.io\.loadmat\("file"\)/s],
  ['\x89HDF\r\n\x1a\n', /an HDF5 file.*h5py\.File\("file"\)/s],
  ['MATLAB 7.3 MAT-file', /an HDF5 file/],
  ['\x64\0\0\0\0\0\0\0crc_\x0a\x62', /a TFRecord file.*tf\.data\.TFRecordDataset\("file"\)/s],
] as const) {
  test(`a file that begins with ${JSON.stringify(start.slice(0, 10))} is not read, and Python converts it`, async (t) => {
    const file = Buffer.from(start.padEnd(600), 'latin1');
    const rejects = (bytes: Uint8Array, message: RegExp) =>
      assert.rejects(check(t, { file: bytes }), isAtelierError('invalid-dataset-file', message, '#/file'));
    await rejects(file, kind);
    await rejects(gzipSync(file), kind);
    await rejects(
      zipSync({ 'readme.txt': strToU8('data'), 'x/data_batch_1': file }),
      /"x\/data_batch_1" is a/,
    );
  });
}

test('what the error of a pickle advises makes an npz that is read', async (t) => {
  const folder = temporaryFolder(t);
  const make = [
    'import numpy, pickle',
    'd = {b"data": numpy.arange(8 * 3072, dtype="u4").astype("u1").reshape(8, 3072), b"labels": [0, 1] * 4}',
    'pickle.dump(d, open("batch", "wb"))',
  ];
  const [pickle] = FOREIGN_FORMATS;
  for (const lines of [make, pickle!.python('"batch"')])
    execFileSync('/usr/bin/python3', ['-c', lines.join('\n')], { cwd: folder });
  const file = readFileSync(join(folder, 'data.npz'));
  const { imageShape, splits } = await check(t, { file }, { testFraction: 0.5 });
  assert.deepEqual([imageShape, splits.train.examples], [[32, 32, 3], 4]);
});
