import assert from 'node:assert/strict';
import { failure, newJob, runOf, startRun, temporaryStore } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

storeTest('a restart forgets that a queued job waits for memory', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store);
  await store.jobs.holdForMemory(id, 'Not enough memory.');
  const waiting = async () => (await store.jobs.get(id))!.waiting;
  assert.equal(await waiting(), 'memory');
  assert.deepEqual(await store.jobs.recoverInterrupted(), []);
  assert.equal(await waiting(), null);
});

storeTest(
  'the recovery of a run changes no later run, and the recovered run can write no more',
  async (t) => {
    const store = await temporaryStore(t);
    const id = await newJob(store, 'running');
    const lost = runOf(id);
    assert.equal(await store.jobs.recoverOne(id, lost.run), 'queued');
    await assert.rejects(lost.release(), failure('lease-lost'));
    const next = await startRun(store, id);
    assert.ok(next.run > lost.run);
    assert.equal(await store.jobs.recoverOne(id, lost.run), null);
    assert.equal((await store.jobs.get(id))!.status, 'running');
    assert.equal(await store.jobs.uncleanEnds(id), 1);
  },
);
