/** A second process is rejected even if the lock file was removed or replaced. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { failure, newJob, temporaryDirectory } from '../fixtures.ts';
import { holdStore } from './hold-store.ts';

test('rejects a directory in use, even if its lock file is removed repeatedly', async (t) => {
  const directory = await temporaryDirectory(t);
  const child = await holdStore(t, directory);
  for (const damage of [
    () => rm(join(directory, 'lock.sqlite')),
    // The attempt before has created a new lock file, which is free.
    async () => {},
    () => writeFile(join(directory, 'lock.sqlite'), ''),
  ]) {
    await damage();
    await assert.rejects(openStore(directory), failure('state-locked', directory, 'lock.sqlite was removed'));
  }
  await child.kill();
  const store = await openStore(directory);
  await newJob(store);
  await store.close();
});

test('a program may read and copy the database while a process uses it', async (t) => {
  const directory = await temporaryDirectory(t);
  await holdStore(t, directory);
  const reader = new DatabaseSync(join(directory, 'atelier.sqlite'), { readOnly: true });
  assert.deepEqual({ ...reader.prepare('select count(*) as jobs from jobs').get() }, { jobs: 0 });
  reader.exec(`vacuum into '${join(directory, 'copy.sqlite')}'`);
  reader.close();
});
