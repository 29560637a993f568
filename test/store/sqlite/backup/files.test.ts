import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyDurably } from '../../../../src/store/sqlite/backup/files.ts';
import { temporaryDirectory } from '../../fixtures.ts';

test('a copy has the bytes of its source, and only a source may be missing', async (t) => {
  const directory = await temporaryDirectory(t);
  const [source, target] = [join(directory, 'source'), join(directory, 'target')];
  assert.equal(await copyDurably(source, target), false);
  await writeFile(source, 'bytes');
  assert.equal(await copyDurably(source, target), true);
  assert.equal(await readFile(target, 'utf8'), 'bytes');
  await assert.rejects(copyDurably(source, join(directory, 'missing', 'target')), { code: 'ENOENT' });
});
