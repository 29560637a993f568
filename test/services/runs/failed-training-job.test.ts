/** Runs of training jobs that fail outside their training, without threads. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { AtelierError } from '../../../src/errors.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import type { TrainingContext } from '../../../src/services/runs/context.ts';
import { RETRY_MS } from '../../../src/services/runs/repeat.ts';
import { createRunTrainingJob } from '../../../src/services/runs/training-job.ts';
import { createWaits } from '../../../src/services/runs/waits.ts';
import type { Run } from '../../../src/store/persistent-state.ts';
import { newJob, temporaryStore } from '../../store/fixtures.ts';
import { catalogOf, WITHOUT_IMAGES } from '../../support/catalog.ts';
import { mockWaits } from '../../support/mocked-builtins.ts';

const examples = {
  pixels: new Uint8Array(20 * 784),
  labels: Uint8Array.from({ length: 20 }, (_, n) => n % 10),
};
const dataset: Dataset = {
  ...WITHOUT_IMAGES,
  train: examples,
  validation: null,
  learning: examples,
  test: examples,
};
const { signal } = new AbortController();

/**
 * A queued job, and what runs it.
 * @param options.end ends its thread
 * @param options.change changes its run
 */
async function setUp(
  t: TestContext,
  options: { end?: () => Promise<void>; change?: (run: Run) => Partial<Run> } = {},
) {
  const { end = async () => {}, change = () => ({}) } = options;
  const store = await temporaryStore(t);
  const id = await newJob(store);
  const catalog = catalogOf(dataset);
  const lines: unknown[] = [];
  let stops = 0;
  const start: typeof store.jobs.start = async (...given) => {
    const run = await store.jobs.start(...given);
    return run && { ...run, ...change(run) };
  };
  const context = {
    store: { ...store, jobs: { ...store.jobs, start } },
    catalog,
    models: createModelService(store, catalog),
    memory: createMemoryLedger({ limit: 2 ** 32, base: 0 }),
    threads: { run: () => ({ stop: () => void stops++, ended: end() }) },
    waits: createWaits('storage'),
    loadDistillation: async () => null,
    log: {
      info() {},
      warn: (_details: object, message: string) => lines.push(message),
      error: ({ err }: { err: unknown }, message: string) => lines.push([err, message]),
    },
  } as unknown as TrainingContext;
  const events = async () =>
    (await store.events.list(id, { limit: 20 })).data
      .slice(2)
      .map(({ type, data }) => [type, data['code'] ?? data['to']]);
  return {
    store,
    id,
    lines,
    events,
    run: (stopping = signal) => createRunTrainingJob(context)(id, stopping, signal),
    stops: () => stops,
  };
}

test('a run that ends with a defect queues its job again and logs the defect', async (t) => {
  const defect = new TypeError('not a function');
  const { run, lines, events } = await setUp(t, { end: () => Promise.reject(defect) });
  await run();
  assert.deepEqual(lines, [[defect, 'failed to record a job']]);
  assert.deepEqual(await events(), [
    ['warning', 'internal-error'],
    ['status', 'queued'],
  ]);
});

test('a run that ends because no file can be opened is not an attempt of its job', async (t) => {
  const lack = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
  const { run, lines, events } = await setUp(t, { end: () => Promise.reject(lack) });
  await run();
  assert.deepEqual(lines, [[lack, 'failed to record a job']]);
  assert.deepEqual(await events(), [['status', 'queued']]);
});

test('a run whose job has been taken over changes nothing', async (t) => {
  const lost = new AtelierError('lease-lost', 'Another process runs the job.');
  const { run, lines, events } = await setUp(t, { end: () => Promise.reject(lost) });
  await run();
  assert.deepEqual(lines, ['the job has been taken over, so this run ends without a result']);
  assert.deepEqual(await events(), []);
});

test('a job is queued again as soon as that can be stored, unless its status has changed', async (t) => {
  mockWaits(t);
  const end = () => Promise.reject(new TypeError('not a function'));
  let failures = 2;
  const { run, events } = await setUp(t, {
    end,
    change: ({ requeue }) => ({
      requeue: async (outcome) => {
        if (failures-- > 0) throw new TypeError('a defect of the store');
        return requeue(outcome);
      },
    }),
  });
  let hasEnded = false;
  void run().then(() => {
    hasEnded = true;
  });
  for (; !hasEnded; await turn()) t.mock.timers.tick(RETRY_MS);
  assert.equal(failures, -1);
  assert.deepEqual((await events()).at(-1), ['status', 'queued']);
  const changed = new AtelierError('illegal-transition', 'The job has ended.');
  const other = await setUp(t, { end, change: () => ({ requeue: () => Promise.reject(changed) }) });
  await assert.rejects(other.run(), changed);
});

test('a thread is stopped if its job is to stop, also if that is known before the thread starts', async (t) => {
  const ready = await setUp(t);
  await ready.run();
  assert.equal(ready.stops(), 0);
  const cancelled = await setUp(t, { change: ({ job }) => ({ job: { ...job, status: 'cancelling' } }) });
  await cancelled.run();
  assert.equal(cancelled.stops(), 1);
  const aborted = await setUp(t);
  await aborted.run(AbortSignal.abort());
  assert.equal(aborted.stops(), 1);
  const stop = new AbortController();
  const stopped = await setUp(t, { end: async () => stop.abort() });
  await stopped.run(stop.signal);
  assert.equal(stopped.stops(), 1);
});

test('a job that is no longer queued does not run, and another error of the start is thrown', async (t) => {
  const { store, id, run, lines } = await setUp(t, { end: assert.fail });
  await store.jobs.requestPause(id);
  await run();
  assert.deepEqual([(await store.jobs.get(id))!.status, lines], ['paused', []]);
  await store.jobs.resume(id);
  const defect = new TypeError('not a function');
  const change = () => {
    throw defect;
  };
  await assert.rejects((await setUp(t, { change })).run(), defect);
});
