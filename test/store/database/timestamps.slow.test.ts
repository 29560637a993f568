/** Order of rows after the clock was set back. Runs alone: a process has one clock. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { on } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { timestamp, timestampAfter } from '../../../src/store/database/timestamps.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { temporaryDatabase, withoutPostgres } from '../../support/servers/postgres.ts';
import {
  addDataset,
  epochRecord,
  newJob,
  publish,
  request,
  runOf,
  startRun,
  temporaryDirectory,
  temporaryStore,
  trained,
  underway,
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
    assert.equal(job.createdAt, new Date(NOW + 5 * DAYS).toISOString());
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

// All rows of a process have one clock, so it is set ahead of those of the tests before.
test('the times of a running job never go backwards', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW + 6 * DAYS });
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running', 'timed');
  const run = runOf(id);
  await run.recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway);
  t.mock.timers.setTime(NOW);
  await run.recordEpochs([{ record: epochRecord(2, 0.5), warnings: [] }], underway);
  await run.saveCheckpoint({ step: 1, epoch: 2, loss: null }, new Uint8Array([1]));
  await run.finish({ status: 'succeeded', step: 8440, reason: 'completed', model: trained });
  const { data } = await store.events.list(id, { limit: 100 });
  const [checkpoint] = await store.checkpoints.list(id);
  const job = await store.jobs.get(id);
  const version = await store.models.version('timed', 1);
  const made = [checkpoint?.createdAt, job?.finishedAt, version?.createdAt];
  for (const at of [...data.map((event) => event.at), ...made]) {
    assert.ok(at! >= new Date(NOW + 6 * DAYS).toISOString(), `${at}`);
  }
});

/** A process whose clock is behind finishes a job of this one. */
async function finishElsewhere(t: TestContext, directory: string, url?: string) {
  const script = join(import.meta.dirname, '../children/finishing.ts');
  const child = spawn(process.execPath, [script, directory, ...(url === undefined ? [] : [url])], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  const lines = on(createInterface({ input: child.stdout }), 'line')[Symbol.asyncIterator]();
  assert.deepEqual((await lines.next()).value, ['open']);
  return async (id: string): Promise<{ events: string[]; made: string[] }> => {
    child.stdin.write(`${id}\n`);
    const { value } = await lines.next();
    return JSON.parse(value![0]);
  };
}

/** The jump is later than all times of the other tests, which this process has also seen. */
const AHEAD = Date.parse('2027-06-01T00:00:00.000Z');

async function startAhead(t: TestContext, store: Store): Promise<string> {
  t.mock.timers.enable({ apis: ['Date'], now: AHEAD });
  const id = await newJob(store, 'running', 'timed');
  await runOf(id).recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway);
  t.mock.timers.setTime(AHEAD + 1000);
  await runOf(id).recordEpochs([{ record: epochRecord(2, 0.5), warnings: [] }], underway);
  await runOf(id).release();
  return id;
}

function assertAscending({ events, made }: { readonly events: string[]; readonly made: string[] }): void {
  assert.deepEqual(events, events.toSorted());
  for (const at of made) assert.ok(at >= new Date(AHEAD + 1000).toISOString(), at);
}

test('the times of a job go on where they were when the next process has a clock that is behind', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  const id = await startAhead(t, store);
  await store.close();
  const finish = await finishElsewhere(t, directory);
  assertAscending(await finish(id));
});

test('the times of a job go on where they were on a replica whose clock is behind', {
  skip: withoutPostgres,
}, async (t) => {
  const url = await temporaryDatabase(t);
  const store = await openPostgresStore({ url, directory: await temporaryDirectory(t) });
  t.after(() => store.close());
  // It has opened the database before any time of this clock was stored.
  const finish = await finishElsewhere(t, await temporaryDirectory(t), url);
  const id = await startAhead(t, store);
  assertAscending(await finish(id));
});

test('times follow the clock unless an earlier record has a later time', (t) => {
  // Later than all times of the tests before, because the process has one clock.
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2027-11-26T12:00:00.000Z') });
  const now = '2027-11-26T12:00:00.000Z';
  assert.equal(timestamp('2027-11-25T12:00:00.000Z'), now);
  assert.equal(timestampAfter(null), now);
  assert.equal(timestamp('a damaged row'), now);
  assert.equal(timestampAfter(now), '2027-11-26T12:00:00.001Z');
  const known = '2027-11-27T12:00:00.000Z';
  assert.equal(timestamp(known), known);
  t.mock.timers.setTime(Date.parse('2027-11-20T12:00:00.000Z'));
  assert.equal(timestamp(), known);
  t.mock.timers.setTime(Date.parse('2027-11-28T12:00:00.000Z'));
  assert.equal(timestamp(), '2027-11-28T12:00:00.000Z');
});
