/** Jobs whose requests were stored by earlier releases. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newJob, openWithConnection } from '../fixtures.ts';

test('a job of a release without rotation and scale has neither', async (t) => {
  const { store, raw } = await openWithConnection(t);
  const id = await newJob(store);
  const names = ['rotation', 'scale'].map((name) => `'$.training.augmentation.${name}'`).join();
  raw.prepare(`update jobs set request = json_remove(request, ${names}) where id = ?`).run(id);
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
