import assert from 'node:assert/strict';
import files, { writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { AtelierError } from '../../../src/errors.ts';
import { createNumericWork } from '../../../src/services/inspection/numeric-work.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { createRunPredictionJob } from '../../../src/services/runs/prediction-job.ts';
import { RETRY_MS } from '../../../src/services/runs/repeat.ts';
import { createWaits } from '../../../src/services/runs/waits.ts';
import type { PredictionRun } from '../../../src/store/persistent-state.ts';
import { createNumericPool, type NumericPool } from '../../../src/workers/pools.ts';
import { temporaryStore, trained } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';
import { mockWaits } from '../../support/mocked-builtins.ts';
import { addCleanup } from '../../support/start-service.ts';

/**
 * A job that predicts one image, and what runs it with the pool.
 * @param changes of its run
 */
async function createJob(t: TestContext, pool: NumericPool, changes: Partial<PredictionRun> = {}) {
  const store = await temporaryStore(t);
  const catalog = catalogOf();
  const waits = createWaits('memory');
  const warnings: unknown[] = [];
  const start: typeof store.predictionJobs.start = async (...given) => {
    const started = await store.predictionJobs.start(...given);
    return started && { ...started, ...changes };
  };
  const run = createRunPredictionJob({
    store: { ...store, predictionJobs: { ...store.predictionJobs, start } },
    catalog,
    models: createModelService(store, catalog),
    calibrations: { load: assert.fail },
    pool,
    waits,
    storageWaits: createWaits('storage'),
    onJudged: () => assert.fail(),
    log: {
      info() {},
      warn: (_, message) => warnings.push(message),
      error: (_, message) => warnings.push(message),
    },
  });
  const model = { name: 'shoes', version: 1 };
  const { classNames } = trained;
  const parameters = new Uint8Array(4 * (784 + 1 + 2 + 2));
  await store.blobs.putReferenced(parameters, (digest) =>
    store.models.publish({
      ...trained,
      name: model.name,
      layerSizes: [784, 1, 2],
      digest,
      imported: {} as never,
      metadata: {},
    }),
  );
  const input = store.temporaryFiles.newFile();
  await writeFile(input, 'pixels');
  const source = { pixels: '0-1' } as const;
  const job = await store.predictionJobs.create(
    { model, classNames, source, images: 1, coverage: null },
    { input, queueLimit: 1 },
  );
  return { store, job, run, waits, warnings };
}

test('a prediction job that is waiting for memory shows this until it is cancelled', async (t) => {
  const pool = createNumericPool(assert.fail);
  addCleanup(t, pool.close);
  const memory = createMemoryLedger();
  const { store, job, run, waits, warnings } = await createJob(
    t,
    createNumericWork({ short: pool, long: pool }, memory),
  );
  using _held = memory.reserve(memory.budget, { what: 'A test' });
  const stop = new AbortController();
  const ended = run(job.id, stop.signal, new AbortController().signal);
  while (waits.mark(job).waiting === null) await turn();
  await store.predictionJobs.cancel(job.id);
  stop.abort();
  await ended;
  assert.equal(waits.mark(job).waiting, null);
  assert.deepEqual(warnings, []);
});

test('a prediction job whose thread crashes each time fails after its third run', async (t) => {
  const run = () => Promise.reject(new AtelierError('worker-crashed', 'The thread crashed.'));
  const { store, job, run: runJob, warnings } = await createJob(t, { run, close: assert.fail });
  const { signal } = new AbortController();
  for (const status of ['queued', 'queued', 'failed']) {
    await runJob(job.id, signal, signal);
    assert.equal((await store.predictionJobs.get(job.id))?.status, status);
  }
  assert.deepEqual(warnings, ['a prediction job failed']);
});

test('a run that can open no file, or whose service stops, leaves the job to the next run', async (t) => {
  mockWaits(t);
  const failure = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  for (const [error, closing] of [
    [failure, new AbortController().signal],
    [new TypeError('stopped'), AbortSignal.abort()],
  ] as const) {
    const run = () => Promise.reject(error);
    const { store, job, run: runJob, warnings } = await createJob(t, { run, close: assert.fail });
    let hasEnded = false;
    void runJob(job.id, new AbortController().signal, closing).then(() => {
      hasEnded = true;
    });
    for (; !hasEnded; await turn()) t.mock.timers.tick(RETRY_MS);
    assert.equal((await store.predictionJobs.get(job.id))?.status, 'queued');
    assert.deepEqual(warnings, []);
  }
});

/** Lets time pass until the run has ended. */
async function untilEnded(t: TestContext, run: Promise<void>): Promise<void> {
  let hasEnded = false;
  void run.then(() => {
    hasEnded = true;
  });
  for (; !hasEnded; await turn()) t.mock.timers.tick(RETRY_MS);
}

/** A pool that has predicted one image without a coverage. */
const predicted = {
  run: async () => ({ judged: null, classes: [] }),
  close: assert.fail,
} as unknown as NumericPool;

test('a result is stored again until the database can be reached and files can be opened', async (t) => {
  mockWaits(t);
  const lack = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  const failures: Error[] = [new AtelierError('storage-unavailable', 'The database is away.'), lack];
  let writes = 0;
  const succeed: PredictionRun['succeed'] = async () => {
    writes++;
    const error = failures.shift();
    if (error) throw error;
  };
  const { job, run, warnings } = await createJob(t, predicted, { succeed, fail: () => assert.fail() });
  const { signal } = new AbortController();
  await untilEnded(t, run(job.id, signal, signal));
  assert.equal(writes, 3);
  assert.deepEqual(warnings, ['failed to store the state of a job, retrying']);
});

test('a result for which the disk has no space fails the job', async (t) => {
  const full = new AtelierError('storage-full', 'The disk is full.');
  const succeed = () => Promise.reject(full);
  const { store, job, run, warnings } = await createJob(t, predicted, { succeed });
  const { signal } = new AbortController();
  await run(job.id, signal, signal);
  const { status, error } = (await store.predictionJobs.get(job.id))!;
  assert.deepEqual([status, error], ['failed', { code: 'storage-full', message: 'The disk is full.' }]);
  assert.deepEqual(warnings, ['a prediction job failed']);
});

test('a prediction job waits until it can open files, and says so once', async (t) => {
  let failures = 2;
  const { job, run, warnings } = await createJob(t, predicted, { succeed: async () => {} });
  const { open } = files;
  t.mock.method(files, 'open', async (...given: Parameters<typeof open>) => {
    if (given[0] === devNull && failures-- > 0) {
      throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    }
    return open(...given);
  });
  mockWaits(t);
  const { signal } = new AbortController();
  await untilEnded(t, run(job.id, signal, signal));
  assert.ok(failures < 0);
  assert.deepEqual(warnings, ['a prediction job waits until it can open files']);
});

test('the progress of a prediction job is stored every second, as long as it predicts', async (t) => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<Int32Array>();
  const { promise: go, resolve: end } = Promise.withResolvers<object>();
  const pool = {
    async run(_name: string, { progress }: { progress: Int32Array }) {
      begin(progress);
      return go;
    },
    close: assert.fail,
  } as unknown as NumericPool;
  const stored: number[] = [];
  const recordProgress = async (images: number) => {
    stored.push(images);
    throw new AtelierError('storage-unavailable', 'The database is away.');
  };
  const { job, run } = await createJob(t, pool, { recordProgress, succeed: async () => {} } as object);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { signal } = new AbortController();
  const ended = run(job.id, signal, signal);
  const progress = await begun;
  Atomics.store(progress, 0, 5);
  t.mock.timers.tick(999);
  assert.deepEqual(stored, []);
  t.mock.timers.tick(1);
  Atomics.store(progress, 0, 7);
  t.mock.timers.tick(1000);
  end({ judged: null, classes: [] });
  await ended;
  t.mock.timers.tick(5000);
  assert.deepEqual(stored, [5, 7]);
});
