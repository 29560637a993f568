import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { measureFile, readChunks, writeChunks } from '../../../src/store/blobs/chunks.ts';
import { temporaryDirectory } from '../fixtures.ts';

/** The SHA-256 digests of `abc` and of nothing, from FIPS 180-4. */
const ABC = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const NOTHING = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

test('a file is read in chunks of one size, of which only the last one is shorter', async (t) => {
  const path = join(await temporaryDirectory(t), 'file');
  for (const [text, expected] of [
    ['', []],
    ['abc', ['abc']],
    ['abcd', ['abcd']],
    ['abcdefghij', ['abcd', 'efgh', 'ij']],
  ] as const) {
    await writeFile(path, text);
    const chunks = await Array.fromAsync(readChunks(path, 4));
    assert.deepEqual(
      chunks.map((chunk) => chunk.toString()),
      expected,
    );
    assert.equal(new Set(chunks.map(({ buffer }) => buffer)).size, chunks.length, 'each has its own buffer');
  }
});

test('chunks are written to a new file only, and digested together', async (t) => {
  const path = join(await temporaryDirectory(t), 'file');
  async function* chunks() {
    yield Buffer.from('a');
    yield Buffer.from('bc');
  }
  assert.equal(await writeChunks(path, chunks()), ABC);
  assert.equal(await readFile(path, 'utf8'), 'abc');
  assert.deepEqual(await measureFile(path), { digest: ABC, bytes: 3 });
  await assert.rejects(writeChunks(path, chunks()), { code: 'EEXIST' });
  await writeFile(path, '');
  assert.deepEqual(await measureFile(path), { digest: NOTHING, bytes: 0 });
});
