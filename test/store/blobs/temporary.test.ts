import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { openTemporaryFiles } from '../../../src/store/blobs/temporary.ts';
import { temporaryDirectory } from '../fixtures.ts';

test('temporary files of a killed process are removed, and no other file', async (t) => {
  const directory = join(await temporaryDirectory(t), 'a/b');
  const { newFile } = await openTemporaryFiles(directory);
  const [one, other] = [newFile(), newFile()];
  assert.notEqual(one, other);
  assert.deepEqual([dirname(one), one.endsWith('.tmp')], [directory, true]);
  await writeFile(one, 'x');
  await writeFile(join(directory, 'blob'), 'x');
  await mkdir(join(directory, 'tmp'));
  await openTemporaryFiles(directory);
  assert.deepEqual((await readdir(directory)).toSorted(), ['blob', 'tmp']);
});
