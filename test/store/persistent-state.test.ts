import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../src/store/sqlite/open.ts';
import {
  epochRecord,
  failure,
  newJob,
  runOf,
  temporaryDirectory,
  temporaryStore,
  trained,
  underway,
} from './fixtures.ts';

test('all data survives closing and reopening', async (t) => {
  const directory = await temporaryDirectory(t);
  const before = await openStore(directory);
  const id = await newJob(before, 'running');
  await runOf(id).recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway);
  const digest = await before.blobs.putReferenced(new Uint8Array([1, 2, 3]), async (named) => named);
  const job = await runOf(id).finish({
    status: 'succeeded',
    step: 8440,
    reason: 'completed',
    model: { ...trained, digest },
  });
  const events = await before.events.list(id, { limit: 100 });
  await before.close();

  const after = await openStore(directory);
  t.after(() => after.close());
  assert.deepEqual(await after.jobs.get(id), job);
  assert.deepEqual(await after.epochRecords.list(id), [epochRecord(1, 0.5)]);
  assert.deepEqual(await after.events.list(id, { limit: 100 }), events);
  const version = await after.models.version('fashion-mnist');
  assert.deepEqual(await after.blobs.get(version!.digest), new Uint8Array([1, 2, 3]));
});

test('closing waits for pending statements', async (t) => {
  const directory = await temporaryDirectory(t);
  const before = await openStore(directory);
  const id = await newJob(before);
  const appended = Array.from({ length: 20 }, (_, n) => before.events.append(id, 'warning', { n }));
  await before.close();
  await Promise.all(appended);
  const after = await openStore(directory);
  t.after(() => after.close());
  assert.equal((await after.events.list(id, { limit: 100 })).data.length, 21);
});

test('rejects a directory that cannot be created, with advice', async (t) => {
  const file = join(await temporaryDirectory(t), 'file');
  await writeFile(file, '');
  // In /proc, mkdir fails with ENOENT even if the parent exists.
  for (const directory of [file, join(file, 'state'), '/proc/atelier', '/proc/atelier/state']) {
    await assert.rejects(openStore(directory), failure('state-unusable', directory, 'STATE_DIR'));
  }
});

test('a store of one process announces its own changes, and waits for no other process', async (t) => {
  const store = await temporaryStore(t);
  const heard: string[] = [];
  store.notices.on('event', (jobId) => heard.push(jobId));
  const id = await newJob(store);
  assert.deepEqual(heard, [id]);
  assert.equal(store.notices.mode(), 'local');
  assert.equal(store.agreement.isTrusted(), true);
  await store.agreement.reach();
  assert.deepEqual([store.hourlyTasks, store.replicas, store.rateLeases], [[], undefined, undefined]);
});
