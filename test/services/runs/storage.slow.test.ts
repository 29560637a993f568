/** Training while the storage is full or unreachable, or the run has lost its job. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { AtelierError } from '../../../src/errors.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { createRunTrainingJob } from '../../../src/services/runs/training-job.ts';
import { createWaits, type Waits } from '../../../src/services/runs/waits.ts';
import { storageFull } from '../../../src/store/blobs/directory.ts';
import type { Run, Store } from '../../../src/store/persistent-state.ts';
import { createTrainingThreads } from '../../../src/workers/training/kept-threads.ts';
import { temporaryStore, untouched } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';
import { SMALL_DATA_DIR } from '../../support/data-directory.ts';
import { tiny } from '../../support/start-service.ts';

const fashionMnist = await loadFashionMnist(SMALL_DATA_DIR);

/**
 * Trains one job to its end.
 * @param disturb returns the methods of the run that differ
 * @param lostStarts number of starts whose reply is lost
 */
async function train(
  t: TestContext,
  disturb: (run: Run, store: Store, waits: Waits<'storage'>) => Partial<Run>,
  { lostStarts = 0 } = {},
) {
  const waits = createWaits('storage');
  const store = await temporaryStore(t);
  const catalog = catalogOf(fashionMnist);
  const start: Store['jobs']['start'] = async (...job) => {
    const run = (await store.jobs.start(...job))!;
    if (lostStarts-- > 0) throw unavailable();
    return { ...run, ...disturb(run, store, waits) };
  };
  const logged: string[] = [];
  const run = createRunTrainingJob({
    store: { ...store, jobs: { ...store.jobs, start } },
    catalog,
    models: createModelService(store, catalog),
    memory: createMemoryLedger(),
    threads: createTrainingThreads(),
    waits,
    judge: async () => null,
    loadDistillation: async () => null,
    onPublished: () => {},
    log: {
      info() {},
      warn: (_, message) => logged.push(`warn: ${message}`),
      error: (_, message) => logged.push(`error: ${message}`),
    },
    runner: 'replica-a',
  });
  const request = { ...trainingRequestSchema.parse({ ...tiny(), seed: 7 }), modelName: 'waited' };
  const { id } = await store.jobs.create(request, untouched);
  await run(id, new AbortController().signal, new AbortController().signal);
  const { data: events } = await store.events.list(id, { limit: 100 });
  assert.equal(waits.count(), 0);
  return { store, id, job: (await store.jobs.get(id))!, events, logged };
}

const unavailable = () => new AtelierError('storage-unavailable', 'The connection was lost.');

for (const { code, error, message } of [
  { code: 'storage-full', error: () => storageFull('an epoch', null), message: /not be stored for \d+ s\. / },
  { code: 'storage-unavailable', error: unavailable, message: /unreachable for \d+ s\. Nothing was lost/ },
]) {
  test(`a job that waited because of ${code} records the start and the end of the wait, and loses nothing`, async (t) => {
    const refused = { epoch: 2, start: 1, end: 1 };
    const marked: unknown[] = [];
    const { job, events, logged } = await train(t, (run, store, waits) => ({
      async recordEpochs(...epochs) {
        if (refused.epoch-- > 0) throw error();
        const waiting = (await store.jobs.get(run.job.id))!;
        marked.push(waiting.waiting, waits.mark(run.job).waiting, waits.count());
        return run.recordEpochs(...epochs);
      },
      async recordWaiting(waiting, warning) {
        if (refused[waiting === null ? 'end' : 'start']-- > 0) throw error();
        await run.recordWaiting(waiting, warning);
        // A connection that is lost in a commit leaves open whether it has happened.
        if (code === 'storage-unavailable' && refused.end === 0) throw error();
      },
    }));
    assert.deepEqual([job.status, job.attempts, job.receipt?.mixed], ['succeeded', 1, false]);
    assert.equal(job.waiting, null);
    const recorded = events.filter(({ type }) => type === 'warning' || type === 'epoch');
    assert.deepEqual(
      recorded.map(({ type, data }) => [type, data['code'], data['waiting']]),
      [
        ['warning', code, 'storage'],
        ['epoch', undefined, undefined],
        ['warning', code, null],
      ],
    );
    assert.match(String(recorded[2]!.data['message']), message);
    assert.deepEqual(marked, ['storage', 'storage', 1]);
    const failures = 'error: failed to store the state of a job, retrying';
    assert.deepEqual(logged, [failures, failures]);
  });
}

test('if the delayed write ends the job, its status event ends the wait', async (t) => {
  let refusals = 1;
  const { events } = await train(t, (run) => ({
    async finish(outcome) {
      if (refusals-- > 0) throw storageFull('a job', null);
      return run.finish(outcome);
    },
  }));
  assert.deepEqual(
    events.slice(-2).map(({ type, data }) => [type, data['waiting'], data['to']]),
    [
      ['warning', 'storage', undefined],
      ['status', null, 'succeeded'],
    ],
  );
});

test('a job whose last commit succeeds although its connection is lost is finished once', async (t) => {
  const { store, job, events } = await train(t, (run) => ({
    async finish(outcome) {
      await run.finish(outcome);
      throw unavailable();
    },
  }));
  assert.deepEqual([job.status, job.attempts], ['succeeded', 1]);
  assert.deepEqual(events.at(-1)?.data['publication'], job.publication);
  assert.equal(events.filter(({ type }) => type === 'warning').length, 0);
  assert.equal((await store.models.get('waited'))?.versions, 1);
  assert.ok(await store.blobs.get(job.digest!));
});

test('a job whose start succeeds although its connection is lost is left to the recovery of its run', async (t) => {
  const { store, id, job, logged } = await train(t, () => ({}), { lostStarts: 1 });
  assert.deepEqual([job.status, job.attempts], ['running', 1]);
  const { run } = (await store.jobs.active())[0]!;
  assert.equal(await store.jobs.recoverOne(id, run), 'queued');
  assert.deepEqual(logged, ['warn: failed to start a job, retrying']);
});

test('a run that loses its job ends without an error, and leaves the job to the next run', async (t) => {
  const { store, id, job, events, logged } = await train(t, (run, { jobs }) => ({
    async recordEpochs(...epochs) {
      assert.equal(await jobs.recoverOne(run.job.id, run.run), 'queued');
      return run.recordEpochs(...epochs);
    },
  }));
  assert.deepEqual([job.status, job.attempts, job.error], ['queued', 1, null]);
  assert.deepEqual(events.at(-1)?.data, { from: 'running', to: 'queued' });
  assert.deepEqual(logged, ['warn: the job has been taken over, so this run ends without a result']);
  assert.deepEqual(await store.epochRecords.list(id), []);
  assert.equal(await store.models.get('waited'), undefined);
});
