import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBlobs, writeVerified } from '../../../src/store/blobs/content-addressed.ts';
import { failure, openFiles, temporaryDirectory } from '../fixtures.ts';
import { replaceSync } from '../sqlite/power-loss.ts';

const parameters = new Float32Array(31_810).map((_, n) => Math.sin(n));
const bytes = new Uint8Array(parameters.buffer);
const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

test('bytes are read by the SHA-256 of their content, in a buffer that any typed array can view', async (t) => {
  const blobs = await openBlobs(await temporaryDirectory(t));
  assert.equal(await blobs.put(bytes), digest);
  const found = await blobs.get(digest);
  assert.deepEqual(new Float32Array(found.buffer), parameters);
});

test('stores an empty blob', async (t) => {
  const blobs = await openBlobs(await temporaryDirectory(t));
  assert.equal((await blobs.get(await blobs.put(new Uint8Array()))).length, 0);
});

test('stores only the viewed part of a larger buffer', async (t) => {
  const blobs = await openBlobs(await temporaryDirectory(t));
  const part = bytes.subarray(5, 4101);
  assert.deepEqual(await blobs.get(await blobs.put(part)), new Uint8Array(part));
});

test('equal bytes stored concurrently become one file', async (t) => {
  const directory = await temporaryDirectory(t);
  const blobs = await openBlobs(directory);
  const digests = await Promise.all(Array.from({ length: 20 }, () => blobs.put(bytes)));
  assert.deepEqual(new Set(digests), new Set([digest]));
  assert.deepEqual(await readdir(directory), [digest.slice('sha256:'.length)]);
});

test('something else than a file in place of a blob is damage', async (t) => {
  const directory = await temporaryDirectory(t);
  const blobs = await openBlobs(directory);
  await mkdir(join(directory, digest.slice('sha256:'.length)));
  const message = new RegExp(
    `^The blob ${digest} cannot be read: it is not a regular file. Restore the file`,
  );
  await assert.rejects(blobs.get(digest), { code: 'state-unusable', message });
  await assert.rejects(blobs.getFile(digest, join(directory, 'copy')), { code: 'state-unusable', message });
});

test('storing a blob closes its file', async (t) => {
  const directory = await temporaryDirectory(t);
  const blobs = await openBlobs(directory);
  await blobs.put(bytes);
  assert.deepEqual(openFiles(directory), []);
});

test('blobs survive reopening, but temporary files of a killed process do not', async (t) => {
  const directory = await temporaryDirectory(t);
  await (await openBlobs(directory)).put(bytes);
  await writeFile(join(directory, `${'0'.repeat(64)}.1.tmp`), 'half');
  const blobs = await openBlobs(directory);
  assert.deepEqual(await blobs.get(digest), bytes);
  assert.equal((await readdir(directory)).length, 1);
});

test('damaged bytes are never returned, and storing them again repairs them', async (t) => {
  const directory = await temporaryDirectory(t);
  const blobs = await openBlobs(directory);
  await blobs.put(bytes);
  await truncate(join(directory, digest.slice('sha256:'.length)), 1000);
  await assert.rejects(blobs.get(digest), failure('state-unusable', digest, 'damaged', 'backup'));
  await blobs.put(bytes);
  assert.deepEqual(await blobs.get(digest), bytes);
});

test('reports missing bytes by their digest', async (t) => {
  const blobs = await openBlobs(await temporaryDirectory(t));
  await assert.rejects(blobs.get(digest), failure('state-unusable', digest, 'backup'));
});

test('a failed write names its content, and not the directory', async (t) => {
  const directory = join(await temporaryDirectory(t), 'blobs');
  const blobs = await openBlobs(directory, 'the checkpoint');
  await rm(directory, { recursive: true });
  await writeFile(directory, 'in the way');
  await assert.rejects(blobs.put(bytes), (error) => {
    const named = failure('state-unusable', 'cannot store the checkpoint: ENOTDIR', 'log of the service');
    return named(error) && !String(error).includes(directory);
  });
});

test('rejects an invalid digest before it becomes a path', async (t) => {
  const blobs = await openBlobs(await temporaryDirectory(t));
  for (const wrong of ['', 'sha256:', `sha256:${'A'.repeat(64)}`, 'sha256:../lock.sqlite', digest.slice(7)]) {
    await assert.rejects(blobs.get(wrong), RangeError, wrong);
  }
});

test('files are synced one at a time, so that slow syncs leave threads to reads', async (t) => {
  const directories = await Promise.all([temporaryDirectory(t), temporaryDirectory(t)]);
  const stores = await Promise.all(directories.map((directory) => openBlobs(directory)));
  let [running, most, total] = [0, 0, 0];
  await replaceSync(t, 'sync', async (sync) => {
    total++;
    most = Math.max(most, ++running);
    await sync();
    running--;
  });
  const contents = Array.from({ length: 8 }, (_, n) => Uint8Array.of(n));
  await Promise.all(contents.map((content, n) => stores[n % 2]!.put(content)));
  assert.deepEqual({ most, total }, { most: 1, total: 16 });
});

test('files are stored and fetched in chunks, and a damaged one leaves no copy', async (t) => {
  const directory = await temporaryDirectory(t);
  const blobs = await openBlobs(join(directory, 'blobs'));
  const [source, copy] = [join(directory, 'source'), join(directory, 'copy')];
  for (const length of [0, 5, 2 ** 20, 2 ** 20 + 1]) {
    await writeFile(source, Buffer.alloc(length, 7));
    const stored = await blobs.putFile(source);
    assert.equal(stored, await blobs.put(Buffer.alloc(length, 7)));
    await blobs.getFile(stored, copy);
    assert.deepEqual(await readFile(copy), Buffer.alloc(length, 7));
    await rm(copy);
  }
  await blobs.put(bytes);
  await truncate(join(directory, 'blobs', digest.slice('sha256:'.length)), 1000);
  await assert.rejects(blobs.getFile(digest, copy), failure('state-unusable', digest, 'damaged'));
  await blobs.remove(digest);
  await assert.rejects(blobs.getFile(digest, copy), failure('state-unusable', digest, 'ENOENT', 'backup'));
  assert.deepEqual((await readdir(directory)).toSorted(), ['blobs', 'source']);
});

test('a copy on a full disk is reported as such, any other failure as it is, and neither is left', async (t) => {
  const directory = await temporaryDirectory(t);
  const copy = (code: string) => {
    async function* chunks() {
      yield Buffer.from('a part');
      throw Object.assign(new Error('as the disk says'), { code });
    }
    return writeVerified('sha256:', join(directory, 'copy'), chunks(), '');
  };
  await assert.rejects(copy('ENOSPC'), failure('storage-full', 'a copy of the blob could not be stored'));
  await assert.rejects(copy('EIO'), { code: 'EIO' });
  assert.deepEqual(await readdir(directory), []);
});

test('a blob that does not fit on the disk is named with its size, and leaves no file', async (t) => {
  const directory = await temporaryDirectory(t);
  const blobs = await openBlobs(directory, 'the checkpoint');
  await replaceSync(t, 'sync', async () => {
    throw Object.assign(new Error('as the disk says'), { code: 'ENOSPC' });
  });
  await assert.rejects(
    blobs.put(bytes),
    failure('storage-full', `so the checkpoint (${4 * 31_810} bytes) could not be stored`),
  );
  assert.deepEqual(await readdir(directory), []);
});
