/** A database that is removed or replaced while it is open. */
import assert from 'node:assert/strict';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { failure, newJob, publish, temporaryDirectory } from '../fixtures.ts';

async function openIn(t: TestContext): Promise<{ state: string; store: Store }> {
  const state = join(await temporaryDirectory(t), 'state');
  const store = await openStore(state);
  t.after(() => store.close());
  await publish(store, 'shoes');
  return { state, store };
}

async function assertRejectsWrites(store: Store, state: string, file: string): Promise<void> {
  const removed = (error: unknown) =>
    failure('state-unusable', 'was removed or replaced')(error) &&
    !String(error).includes(state) &&
    String((error as Error).cause).includes(join(state, file));
  await assert.rejects(newJob(store), removed);
  await assert.rejects(store.aliases.move('shoes', 'stable', 1, 'anonymous'), removed);
  await assert.rejects(store.models.annotate('shoes', 1, { description: 'lost' }), removed);
  await assert.rejects(store.models.remove('shoes'), removed);
  await assert.rejects(store.assertUsable(), removed);
  assert.equal(await store.jobs.count('queued'), 0);
  assert.equal((await store.aliases.list('shoes')).length, 1, 'only the champion');
  assert.equal((await store.models.version('shoes'))?.description, null);
}

test('rejects writes after the state directory was removed', async (t) => {
  const { state, store } = await openIn(t);
  await store.assertUsable();
  await rm(state, { recursive: true });
  await assertRejectsWrites(store, state, 'atelier.sqlite');
});

test('rejects writes after the write-ahead log was removed', async (t) => {
  const { state, store } = await openIn(t);
  await rm(join(state, 'atelier.sqlite-wal'));
  await assertRejectsWrites(store, state, 'atelier.sqlite-wal');
});

test('rejects writes while another directory is in its place', async (t) => {
  const { state, store } = await openIn(t);
  await rename(state, `${state}.moved`);
  const other = await openStore(state);
  await assertRejectsWrites(store, state, 'atelier.sqlite');
  await newJob(other);
  await other.close();
  await rm(state, { recursive: true });
  await rename(`${state}.moved`, state);
  await store.assertUsable();
  await newJob(store);
});
