import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { JobEvent } from '../../../src/domain/jobs/training.ts';
import {
  type CollectedEvents,
  type CommittedEvent,
  collectDeletion,
  collectEvent,
} from '../../../src/store/database/committed-events.ts';
import { createTransactions } from '../../../src/store/database/transactions.ts';
import { openStateDirectory } from '../../../src/store/transfer/state-directory.ts';
import { request, startRun, temporaryDirectory, temporaryStore, untouched } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

const event = (id: number): JobEvent => ({ id, type: 'warning', at: '2026-01-02T03:04:05.678Z', data: {} });

async function open(t: TestContext) {
  const { db, close } = await openStateDirectory(await temporaryDirectory(t), false);
  t.after(close);
  const before: number[] = [];
  const { inTransaction, onCommitted } = createTransactions(db, async (_trx, events: CollectedEvents) => {
    before.push(events.size);
  });
  const delivered: unknown[] = [];
  const record = (id: string, events: readonly CommittedEvent[]) =>
    delivered.push([id, ...events.map((each) => each.id)]);
  onCommitted(record);
  return { db, before, delivered, inTransaction, onCommitted };
}

test('listeners receive the events of a transaction after it, once for each job', async (t) => {
  const { before, delivered, inTransaction, onCommitted } = await open(t);
  let others = 0;
  onCommitted(() => others++);
  const result = await inTransaction(async (trx) => {
    await collectEvent(trx, 'a', event(1));
    await collectEvent(trx, 'b', event(1));
    await collectEvent(trx, 'a', event(2));
    await collectEvent(trx, 'c', event(7));
    collectDeletion(trx, 'c');
    assert.deepEqual(delivered, []);
    return 5;
  });
  assert.equal(result, 5);
  assert.deepEqual(delivered, [['a', 1, 2], ['b', 1], ['c']]);
  assert.deepEqual([before, others], [[3], 3]);
});

test('a transaction without events, or one that fails, tells the listeners nothing', async (t) => {
  const { db, before, delivered, inTransaction } = await open(t);
  assert.equal(await inTransaction(async () => 'done'), 'done');
  const failing = inTransaction(async (trx) => {
    await collectEvent(trx, 'a', event(1));
    throw new Error('undone');
  });
  await assert.rejects(failing, /undone/);
  await db.transaction().execute((trx) => collectEvent(trx, 'a', event(1)));
  assert.deepEqual([before, delivered], [[], []]);
});

test('an event that is not of the status of a job has no state', async (t) => {
  const { inTransaction, onCommitted } = await open(t);
  const states: unknown[] = [];
  onCommitted((_id, events) => states.push(...events.map(({ job }) => job)));
  await inTransaction(async (trx) => {
    await collectEvent(trx, 'a', event(1));
    // Of a search: no job has its id.
    await collectEvent(trx, 'sch_1', { ...event(1), type: 'status' });
  });
  assert.deepEqual(states, [null, null]);
});

storeTest('an event of a status has the state of its job right after it', async (t) => {
  const store = await temporaryStore(t);
  const states: unknown[] = [];
  store.events.onCommitted((_id, events) => states.push(...events.flatMap(({ job }) => job ?? [])));
  const changes = { training: { ...request().training, validation: { fraction: 0.25 } } };
  const { id } = await store.jobs.create({ ...request('shoes'), ...changes }, untouched);
  const run = await startRun(store, id);
  await run.recordProgress({ ...untouched, step: 12 });
  await run.finish({ status: 'failed', step: 12, error: { code: 'worker-crashed', message: 'gone' } });
  const state = {
    modelName: 'shoes',
    dataset: 'fashion-mnist',
    training: { validation: { fraction: 0.25 } },
    attempts: 0,
    step: 0,
    digest: null,
    traceparent: null,
    searchId: null,
    error: null,
  };
  const error = { code: 'worker-crashed', message: 'gone' };
  const started = { ...state, attempts: 1 };
  assert.deepEqual(states, [state, started, { ...started, step: 12, error }]);
});
