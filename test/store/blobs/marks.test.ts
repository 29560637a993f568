import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createMarks, listMarked } from '../../../src/store/blobs/marks.ts';
import { temporaryDirectory } from '../fixtures.ts';

test('a file has a mark until its row is stored', async (t) => {
  const directory = await temporaryDirectory(t);
  const marks = createMarks(directory);
  await marks.add('dst_a');
  await marks.add('dst_b');
  await writeFile(join(directory, 'dst_c'), '');
  assert.deepEqual([...(await listMarked(directory))].toSorted(), ['dst_a', 'dst_b']);
  await marks.remove('dst_a');
  assert.deepEqual([...(await listMarked(directory))], ['dst_b']);
  assert.deepEqual((await readdir(directory)).toSorted(), ['dst_b.unstored', 'dst_c']);
});

test('a mark that cannot be written or removed is left out', async (t) => {
  const directory = await temporaryDirectory(t);
  const marks = createMarks(join(directory, 'missing'));
  await marks.add('dst_a');
  await marks.remove('dst_a');
  assert.deepEqual(await readdir(directory), []);
});
