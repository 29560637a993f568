/** Jobs whose requests were stored by earlier releases. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { newJob, temporaryDirectory } from '../fixtures.ts';

test('a job of a release without rotation and scale has neither', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  t.after(() => store.close());
  const id = await newJob(store);
  const raw = new DatabaseSync(join(directory, 'atelier.sqlite'), { timeout: 5000 });
  const names = ['rotation', 'scale'].map((name) => `'$.training.augmentation.${name}'`).join();
  raw.prepare(`update jobs set request = json_remove(request, ${names}) where id = ?`).run(id);
  raw.close();
  const job = await store.jobs.get(id);
  assert.deepEqual(job!.training.augmentation, {
    horizontalFlip: false,
    shift: 0,
    rotation: 0,
    scale: 0,
    noise: 0,
    erase: 0,
  });
});
