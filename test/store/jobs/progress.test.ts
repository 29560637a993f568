import assert from 'node:assert/strict';
import { epochRecord, failure, newJob, runOf, temporaryStore, underway, untouched } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

storeTest('progress is stored in the job and as an event', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  await runOf(id).recordProgress(underway);
  assert.deepEqual((await store.jobs.get(id))?.progress, underway);
  const event = (await store.events.list(id, { limit: 10 })).data.at(-1);
  assert.deepEqual([event?.id, event?.type, event?.data], [3, 'progress', underway]);
});

storeTest('a finished epoch is stored in the job, its metrics and as an event', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const record = epochRecord(1, 0.5);
  await runOf(id).recordEpochs([{ record, warnings: [] }], underway);
  const job = await store.jobs.get(id);
  assert.deepEqual([job?.latest, job?.best, job?.progress], [record, record, underway]);
  assert.deepEqual(await store.epochRecords.list(id), [record]);
  const event = (await store.events.list(id, { limit: 10 })).data.at(-1);
  assert.deepEqual([event?.type, event?.data], ['epoch', record]);
});

storeTest('the best epoch is the first one with the lowest validation loss', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  for (const [n, loss] of [0.6, 0.4, 0.5, 0.4].entries()) {
    await runOf(id).recordEpochs([{ record: epochRecord(n + 1, loss, 1 - n / 10), warnings: [] }], underway);
  }
  const job = await store.jobs.get(id);
  assert.equal(job?.best?.epoch, 2);
  assert.equal(job?.latest?.epoch, 4);
});

storeTest('without validation the best epoch has the lowest training loss', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  for (const [n, loss] of [0.6, 0.3, 0.5].entries()) {
    await runOf(id).recordEpochs([{ record: epochRecord(n + 1, null, loss), warnings: [] }], underway);
  }
  assert.equal((await store.jobs.get(id))?.best?.epoch, 2);
});

storeTest('rejects an epoch with an infinite number as a whole', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  await runOf(id).recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway);
  await assert.rejects(
    runOf(id).recordEpochs([{ record: epochRecord(2, Number.POSITIVE_INFINITY), warnings: [] }], underway),
    /Infinity in JSON \(key "validationLoss"\)/,
  );
  assert.equal((await store.jobs.get(id))?.best?.validationLoss, 0.5);
  assert.equal((await store.epochRecords.list(id)).length, 1);
  assert.equal((await store.events.list(id, { limit: 10 })).data.length, 3);
});

storeTest(
  'an epoch recorded again after an interruption keeps the first record and adds no event',
  async (t) => {
    const store = await temporaryStore(t);
    const id = await newJob(store, 'running');
    const warning = { code: 'dead-units', message: 'most units are dead' } as const;
    await runOf(id).recordEpochs([{ record: epochRecord(1, 0.5), warnings: [warning] }], untouched);
    const { data: events } = await store.events.list(id, { limit: 10 });
    assert.deepEqual(
      events.slice(2).map(({ type, data }) => [type, data]),
      [
        ['epoch', epochRecord(1, 0.5)],
        ['warning', { ...warning, epoch: 1 }],
      ],
    );
    await runOf(id).recordEpochs(
      [{ record: { ...epochRecord(1, 0.5), durationMs: 7 }, warnings: [warning] }],
      underway,
    );
    assert.deepEqual((await store.epochRecords.list(id))[0], epochRecord(1, 0.5));
    const again = (await store.events.list(id, { limit: 10 })).data;
    assert.deepEqual(again.slice(0, -1), events);
    assert.deepEqual([again.at(-1)?.type, again.at(-1)?.data], ['progress', underway]);
  },
);

storeTest('several epochs are recorded together, except those already stored', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const warning = { code: 'dead-units', message: 'most units are dead' } as const;
  const epochs = [0.6, 0.4, 0.5].map((loss, n) => ({
    record: epochRecord(n + 1, loss),
    warnings: n === 1 ? [warning] : [],
  }));
  await runOf(id).recordEpochs(epochs.slice(0, 1), untouched);
  await runOf(id).recordEpochs(epochs, underway);
  const job = await store.jobs.get(id);
  assert.deepEqual([job?.latest?.epoch, job?.best?.epoch, job?.progress], [3, 2, underway]);
  assert.deepEqual(
    await store.epochRecords.list(id),
    epochs.map(({ record }) => record),
  );
  await runOf(id).recordProgress(underway);
  const { data: events } = await store.events.list(id, { limit: 10 });
  assert.deepEqual(
    events.slice(2).map(({ id, type, data }) => [id, type, data['epoch']]),
    [
      [3, 'epoch', 1],
      [4, 'epoch', 2],
      [5, 'warning', 2],
      [6, 'epoch', 3],
      [7, 'progress', underway.epoch],
      [8, 'progress', underway.epoch],
    ],
  );
});

storeTest('a released run records nothing', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  await runOf(id).release();
  await assert.rejects(runOf(id).recordProgress(underway), failure('illegal-transition', id, 'queued'));
});

storeTest('a job that is being cancelled still records its progress', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'cancelling');
  await runOf(id).recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway);
  assert.equal((await store.jobs.get(id))?.latest?.epoch, 1);
});

storeTest('the job shows the warnings of its last epoch, and the events those of all', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const early = { code: 'constant-prediction', message: 'After epoch 1 everything is a boot.' } as const;
  const late = { code: 'dead-units', message: 'After epoch 3, half of the units are zero.' } as const;
  const record = (epoch: number, warnings: (typeof early | typeof late)[]) =>
    runOf(id).recordEpochs([{ record: epochRecord(epoch, 0.5), warnings }], underway);
  const shown = async () => (await store.jobs.get(id))?.warnings;
  assert.deepEqual(await shown(), []);
  await record(1, [early]);
  assert.deepEqual(await shown(), [early]);
  await record(2, []);
  assert.deepEqual(await shown(), []);
  await runOf(id).recordProgress(underway);
  await record(3, [late]);
  assert.deepEqual(await shown(), [late]);
  const events = (await store.events.list(id, { limit: 100 })).data.filter(({ type }) => type === 'warning');
  assert.deepEqual(
    events.map(({ data }) => data['epoch']),
    [1, 3],
  );
});
