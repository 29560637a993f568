import assert from 'node:assert/strict';
import { epochRecord, newJob, runOf, temporaryStore, underway } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

storeTest('epochs are listed in ascending order with exact figures', async (t) => {
  const store = await temporaryStore(t);
  const [id, other] = [await newJob(store, 'running'), await newJob(store, 'running')];
  const records = Array.from({ length: 12 }, (_, n) => epochRecord(n + 1, Math.exp(-n) / 3));
  for (const record of records) await runOf(id).recordEpochs([{ record, warnings: [] }], underway);
  await runOf(other).recordEpochs([{ record: epochRecord(1, null), warnings: [] }], underway);
  assert.deepEqual(await store.epochRecords.list(id), records);
  assert.deepEqual(await store.epochRecords.list(other), [epochRecord(1, null)]);
});

storeTest('a job without a finished epoch has no metrics', async (t) => {
  const store = await temporaryStore(t);
  assert.deepEqual(await store.epochRecords.list(await newJob(store)), []);
});
