import assert from 'node:assert/strict';
import files, { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDiskFull, prepareDirectory, storageFull } from '../../../src/store/blobs/directory.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';
import { failure, temporaryDirectory } from '../fixtures.ts';

test('creates a directory with its parents, and accepts one that exists', async (t) => {
  const directory = join(await temporaryDirectory(t), 'a', 'b', 'c');
  await Promise.all([prepareDirectory(directory), prepareDirectory(directory)]);
  await prepareDirectory(directory);
  assert.ok((await stat(directory)).isDirectory());
});

test('rejects a directory that cannot be created, and a file', async (t) => {
  const file = join(await temporaryDirectory(t), 'file');
  await writeFile(file, '');
  for (const path of [file, join(file, 'state'), '/proc/atelier/state'])
    await assert.rejects(
      prepareDirectory(path),
      failure('state-unusable', path, 'not writable: E', 'STATE_DIR'),
    );
});

test('a full disk, a quota and a file that is too large are recognized by their codes', () => {
  const withCode = (code: string) => Object.assign(new Error(code), { code });
  for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG']) assert.ok(isDiskFull(withCode(code)), code);
  for (const other of [withCode('EIO'), new Error('ENOSPC'), { code: 'ENOSPC' }, null])
    assert.ok(!isDiskFull(other));
  assert.ok(failure('storage-full', 'so the model could not be stored')(storageFull('the model', null)));
});

test('a directory that cannot be created gives the reason, not that it is missing', async (t) => {
  const directory = join(await temporaryDirectory(t), 'state');
  t.mock.method(files, 'mkdir', async () => {
    throw new Error('EROFS: read-only file system');
  });
  applyMocks(t);
  await assert.rejects(prepareDirectory(directory), failure('state-unusable', directory, 'EROFS'));
});
