import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import {
  epochRecord,
  failure,
  newJob,
  request,
  runOf,
  temporaryDirectory,
  temporaryStore,
  trained,
  underway,
  untouched,
} from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

/** A succeeded job with an epoch and two checkpoints. */
async function succeed(store: Store, modelName = 'shoes'): Promise<string> {
  const id = await newJob(store, 'running', modelName);
  await runOf(id).recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway);
  for (const step of [1, 2]) {
    await runOf(id).saveCheckpoint({ step, epoch: 1, loss: null }, new Uint8Array(8).fill(step));
  }
  await runOf(id).finish({ status: 'succeeded', step: 2, reason: 'completed', model: trained });
  return id;
}

storeTest(
  'deletes a job with everything except its version, and the version keeps its lineage',
  async (t) => {
    const store = await temporaryStore(t);
    const [id, other] = [await succeed(store), await succeed(store, 'hats')];
    const before = await store.models.version('shoes');
    assert.deepEqual(await store.jobs.remove(id), [1, 2]);
    assert.equal(await store.jobs.get(id), undefined);
    assert.deepEqual((await store.events.list(id, { limit: 10 })).data, []);
    assert.deepEqual(await store.epochRecords.list(id), []);
    assert.deepEqual(await store.checkpoints.list(id), []);
    const filtered = await store.jobs.list({ limit: 10, metadata: { who: 'a test' } });
    assert.deepEqual(
      filtered.data.map((job) => job.id),
      [other],
    );
    assert.deepEqual(await store.models.version('shoes'), before);
    assert.equal(before?.lineage.jobId, id);
    assert.equal((await store.checkpoints.list(other)).length, 2, 'another job keeps its checkpoints');
    await assert.rejects(store.jobs.remove(id), failure('training-job-not-found', id));
  },
);

test('removes the files of checkpoints, except those that another job shares', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  t.after(() => store.close());
  const [id, other] = [await succeed(store), await succeed(store)];
  await store.jobs.remove(id);
  assert.equal((await readdir(join(directory, 'checkpoints'))).length, 2);
  await store.jobs.remove(other);
  assert.deepEqual(await readdir(join(directory, 'checkpoints')), []);
});

storeTest('rejects deleting a job that has not ended, and changes nothing', async (t) => {
  const store = await temporaryStore(t);
  const queued = await newJob(store);
  await assert.rejects(store.jobs.remove(queued), failure('illegal-transition', 'queued', 'Cancel it'));
  await store.jobs.requestPause(queued);
  await assert.rejects(store.jobs.remove(queued), failure('illegal-transition', 'paused'));
  const running = await newJob(store, 'running');
  await assert.rejects(store.jobs.remove(running), failure('illegal-transition', 'running'));
  assert.equal((await store.events.list(queued, { limit: 10 })).data.length, 2);
  await store.jobs.requestCancel(queued);
  assert.deepEqual(await store.jobs.remove(queued), []);
});

storeTest('rejects deleting the warm start or the target of an unfinished job, by name', async (t) => {
  const store = await temporaryStore(t);
  const id = await succeed(store);
  const warmStart = { name: id, version: 2 };
  const target = { of: id, expected: trained.digest, kernel: { name: 'k', digest: 'd' }, fused: true };
  const starting = await store.jobs.create({ ...request(), warmStart }, untouched);
  const verifying = await store.jobs.create(request(), untouched, { target });
  const uses = [
    `the queued training job ${starting.id} starts from its checkpoint 2`,
    `the queued training job ${verifying.id} verifies it`,
  ];
  await assert.rejects(store.jobs.remove(id), failure('training-job-in-use', ...uses));
  await store.jobs.requestCancel(starting.id);
  await assert.rejects(store.jobs.remove(id), failure('training-job-in-use', uses[1]!));
  assert.equal((await store.checkpoints.list(id)).length, 2);
  await store.jobs.requestCancel(verifying.id);
  await store.jobs.remove(id);
  await assert.rejects(
    store.jobs.create({ ...request(), warmStart }, untouched),
    failure('unknown-model', 'removed'),
  );
  await assert.rejects(
    store.jobs.create(request(), untouched, { target }),
    failure('training-job-not-found', id),
  );
});

storeTest('calls the precondition with the job before everything else', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store);
  const precondition = mock.fn(() => {
    throw new Error('changed');
  });
  await assert.rejects(store.jobs.remove(id, precondition), /changed/);
  assert.deepEqual(precondition.mock.calls[0]?.arguments, [await store.jobs.get(id)]);
});

storeTest('a store whose jobs were deleted is not empty once it has a model', async (t) => {
  const store = await temporaryStore(t);
  await store.jobs.remove(await succeed(store));
  assert.equal(await store.jobs.isEmpty(), false);
});

test('an id is not used again while the clock is behind', async (t) => {
  const store = await temporaryStore(t);
  const last = await newJob(store);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 60_000 });
  const ids = new Set([last]);
  for (let n = 0; n < 3; n++) {
    const id = await newJob(store);
    assert.ok(id > last && !ids.has(id), id);
    ids.add(id);
    await store.jobs.requestCancel(id);
    await store.jobs.remove(id);
  }
});

storeTest('a job that many others use names the first five of them', async (t) => {
  const store = await temporaryStore(t);
  const id = await succeed(store);
  const warmStart = { name: id, version: 2 };
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.push((await store.jobs.create({ ...request(), warmStart }, untouched)).id);
  await assert.rejects(
    store.jobs.remove(id),
    failure('training-job-in-use', `${ids[4]} starts from its checkpoint 2. Wait`),
  );
  const sixth = await store.jobs.create({ ...request(), warmStart }, untouched);
  const isFull = failure('training-job-in-use', ids[4]!, '; 1 more jobs use it. Wait');
  await assert.rejects(store.jobs.remove(id), (error) => isFull(error) && !String(error).includes(sixth.id));
});
