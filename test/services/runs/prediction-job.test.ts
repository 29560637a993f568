import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { AtelierError } from '../../../src/errors.ts';
import { createNumericWork } from '../../../src/services/inspection/numeric-work.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { createRunPredictionJob } from '../../../src/services/runs/prediction-job.ts';
import { RETRY_MS } from '../../../src/services/runs/repeat.ts';
import { createWaits } from '../../../src/services/runs/waits.ts';
import { createNumericPool, type NumericPool } from '../../../src/workers/pools.ts';
import { temporaryStore, trained } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';
import { mockWaits } from '../../support/mocked-builtins.ts';
import { addCleanup } from '../../support/start-service.ts';

/** A job that predicts one image, and what runs it with the pool. */
async function createJob(t: TestContext, pool: NumericPool) {
  const store = await temporaryStore(t);
  const catalog = catalogOf();
  const waits = createWaits('memory');
  const warnings: unknown[] = [];
  const run = createRunPredictionJob({
    store,
    catalog,
    models: createModelService(store, catalog),
    calibrations: { load: assert.fail },
    pool,
    waits,
    storageWaits: createWaits('storage'),
    onJudged: () => assert.fail(),
    log: { info() {}, warn: (_, message) => warnings.push(message), error: assert.fail },
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
