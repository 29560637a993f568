import assert from 'node:assert/strict';
import files, { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { restore } from '../../../../src/store/sqlite/backup/restore.ts';
import { openStore } from '../../../../src/store/sqlite/open.ts';
import { UNFINISHED_RESTORE } from '../../../../src/store/sqlite/unreferenced-files.ts';
import { applyMocks } from '../../../support/mocked-builtins.ts';
import { addDataset, failure, temporaryDirectory } from '../../fixtures.ts';

/** A copy of a whole state directory, with its lock, and the folder in which it is. */
async function copyState(t: TestContext) {
  const directory = await temporaryDirectory(t);
  const [state, backup] = [join(directory, 'state'), join(directory, 'backup')];
  const store = await openStore(state);
  await addDataset(store, 'dst_a');
  await store.close();
  await cp(state, backup, { recursive: true });
  assert.ok((await readdir(backup)).includes('lock.sqlite'));
  return { directory, backup };
}

test('the copy of a whole state directory can be restored again and again', async (t) => {
  const { directory, backup } = await copyState(t);
  for (const name of ['a', 'b']) {
    const target = join(directory, name);
    assert.equal(await restore(backup, target), 1);
    const store = await openStore(target);
    assert.deepEqual(
      (await store.datasets.list()).map(({ id }) => id),
      ['dst_a'],
    );
    await store.close();
  }
});

test('a directory that cannot be restored into keeps what it had, also its lock', async (t) => {
  const { directory, backup } = await copyState(t);
  const target = join(directory, 'target');
  await mkdir(target);
  await writeFile(join(target, 'notes'), '');
  await assert.rejects(restore(backup, target), failure('state-unusable', 'is not empty', 'notes'));
  assert.deepEqual(await readdir(target), ['notes']);
  await writeFile(join(target, 'lock.sqlite'), '');
  await assert.rejects(restore(backup, target), failure('state-unusable', 'is not empty', 'notes'));
  assert.deepEqual((await readdir(target)).toSorted(), ['lock.sqlite', 'notes']);
});

test('a new directory is gone after a restore that failed', async (t) => {
  const { directory, backup } = await copyState(t);
  const target = join(directory, 'new');
  await writeFile(join(backup, 'datasets/dst_a'), 'others');
  await assert.rejects(restore(backup, target), failure('state-unusable'));
  assert.ok(!(await readdir(directory)).includes('new'));
  await assert.rejects(restore(directory, target), failure('state-unusable', 'is not a file'));
  assert.ok(!(await readdir(directory)).includes('new'));
});

test('what a killed restore left is replaced, unless its database is in place', async (t) => {
  const { directory, backup } = await copyState(t);
  const target = join(directory, 'target');
  await mkdir(join(target, UNFINISHED_RESTORE), { recursive: true });
  await mkdir(join(target, 'datasets'));
  await writeFile(join(target, 'datasets/dst_b'), 'left over');
  await writeFile(join(target, 'atelier.sqlite'), '');
  const names = [UNFINISHED_RESTORE, 'atelier.sqlite', 'datasets'].toSorted();
  await assert.rejects(restore(backup, target), failure('state-unusable', 'is not empty'));
  assert.deepEqual((await readdir(target)).toSorted(), names);
  await rm(join(target, 'atelier.sqlite'));
  assert.equal(await restore(backup, target), 1);
  assert.deepEqual(await readdir(join(target, 'datasets')), ['dst_a']);
});

test('the folder lost+found of a file system does not matter while it is empty', async (t) => {
  const { directory, backup } = await copyState(t);
  const target = join(directory, 'target');
  const lost = join(target, 'lost+found');
  await mkdir(lost, { recursive: true });
  await writeFile(join(lost, '#12'), '');
  await assert.rejects(restore(backup, target), failure('state-unusable', 'lost+found'));
  await rm(join(lost, '#12'));
  assert.equal(await restore(backup, target), 1);
});

test('a disk that is full while a backup is restored is reported as such', async (t) => {
  const { directory, backup } = await copyState(t);
  t.mock.method(files, 'rename', async () => {
    throw Object.assign(new Error('as the disk says'), { code: 'ENOSPC' });
  });
  applyMocks(t);
  const target = join(directory, 'target');
  await assert.rejects(restore(backup, target), failure('storage-full', 'so the backup could not be stored'));
  assert.ok(!(await readdir(directory)).includes('target'));
});
