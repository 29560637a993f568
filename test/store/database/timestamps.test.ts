/** Order of jobs, models and data sets after the clock was set back. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { timestamp, timestampAfter } from '../../../src/store/database/timestamps.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import {
  addDataset,
  publish,
  request,
  runOf,
  startRun,
  temporaryDirectory,
  trained,
  untouched,
} from '../fixtures.ts';

const NOW = Date.parse('2026-11-26T12:00:00.000Z');
const DAYS = 24 * 60 * 60 * 1000;

/** Runs `before` with a clock that is five days ahead, corrects the clock, and reopens the store. */
async function afterCorrection<T>(t: TestContext, before: (store: Store) => Promise<T>) {
  const directory = await temporaryDirectory(t);
  t.mock.timers.enable({ apis: ['Date'], now: NOW + 5 * DAYS });
  const ahead = await openStore(directory);
  const result = await before(ahead);
  await ahead.close();
  t.mock.timers.setTime(NOW);
  const store = await openStore(directory);
  t.after(() => store.close());
  return { store, result };
}

test('the oldest queued job stays first, and the list newest first', async (t) => {
  const { store, result } = await afterCorrection(t, async ({ jobs }) => [
    (await jobs.create(request(), untouched)).id,
    (await jobs.create(request(), untouched)).id,
  ]);
  const ids = [...result];
  for (let n = 0; n < 3; n++) {
    const job = await store.jobs.create(request(), untouched);
    assert.equal(job.createdAt, new Date(NOW).toISOString());
    ids.push(job.id);
  }
  const { data } = await store.jobs.list({ limit: 10 });
  assert.deepEqual(
    data.map(({ id }) => id),
    ids.toReversed(),
  );
  assert.equal((await store.jobs.nextQueued())?.id, ids[0]);
});

test('a job neither starts before its creation nor finishes before its start', async (t) => {
  const { store, result } = await afterCorrection(t, async ({ jobs }) => {
    const { id: started } = await jobs.create(request(), untouched);
    await jobs.start(started);
    return [
      started,
      (await jobs.create(request(), untouched)).id,
      (await jobs.create(request(), untouched)).id,
    ];
  });
  const [started, queued, cancelled] = result as [string, string, string];
  const failure = {
    status: 'failed',
    step: 0,
    error: { code: 'internal-error', message: 'A test.' },
  } as const;
  const success = { status: 'succeeded', step: 1, reason: 'completed', model: trained } as const;
  await store.jobs.recoverInterrupted();
  await startRun(store, started);
  await runOf(started).finish(failure);
  await startRun(store, queued);
  await runOf(queued).finish(success);
  await store.jobs.requestCancel(cancelled);
  for (const id of result) {
    const { createdAt, startedAt, finishedAt } = (await store.jobs.get(id))!;
    assert.ok((startedAt ?? createdAt) >= createdAt, `${id} starts at ${startedAt}, created at ${createdAt}`);
    assert.ok(finishedAt! >= (startedAt ?? createdAt), `${id} finishes at ${finishedAt}`);
  }
});

test('models and data sets stay newest first', async (t) => {
  const { store } = await afterCorrection(t, async (ahead) => {
    for (const name of ['z-first', 'a-second']) {
      await publish(ahead, name);
      await addDataset(ahead, `dst_${name}`, '', name);
    }
  });
  for (const name of ['z-third', 'a-fourth']) {
    await publish(store, name);
    await addDataset(store, `dst_${name}`, '', name);
  }
  const newestFirst = ['a-fourth', 'z-third', 'a-second', 'z-first'];
  assert.deepEqual(await store.models.names(10), newestFirst);
  const datasets = await store.datasets.list();
  assert.deepEqual(
    datasets.map(({ name }) => name),
    newestFirst,
  );
});

test('times follow the clock unless an earlier record has a later time', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW });
  const now = '2026-11-26T12:00:00.000Z';
  assert.equal(timestamp('2026-11-25T12:00:00.000Z'), now);
  assert.equal(timestamp('2026-11-27T12:00:00.000Z'), '2026-11-27T12:00:00.000Z');
  assert.equal(timestampAfter(null), now);
  assert.equal(timestampAfter(now), '2026-11-26T12:00:00.001Z');
});
