import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AtelierError, type ErrorCode } from '../../../src/errors.ts';
import type { TrainingContext } from '../../../src/services/runs/context.ts';
import { createTrainingRun } from '../../../src/services/runs/training-reports.ts';
import { failure, newJob, runOf, temporaryStore } from '../../store/fixtures.ts';

const failed = (code: string, message = `It is ${code}.`) =>
  ({ kind: 'failed', error: { code, message }, step: 7 }) as never;

/** The run of a job in a store, without a thread. */
async function setUp(t: TestContext, preemptedBy?: string, catalog?: object) {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const run = runOf(id);
  const logged: unknown[] = [];
  const log = { error: (details: object, message: string) => void logged.push([details, message]) };
  const context = { store, log, catalog } as unknown as TrainingContext;
  const events = async () =>
    (await store.events.list(id, { limit: 20 })).data.slice(2).map(({ type, data }) => ({ type, ...data }));
  return {
    run,
    logged,
    events,
    training: (changes: Partial<typeof run> = {}) =>
      createTrainingRun({ ...run, ...changes }, context, () => preemptedBy),
    job: async () => (await store.jobs.get(id))!,
    cancel: () => store.jobs.requestCancel(id),
    checkpoints: async () => (await store.checkpoints.list(id)).map(({ step }) => step),
  };
}

const checkpoint = { step: 7, epoch: 1, loss: 0.5, bytes: new Uint8Array(8) };

test('a crashed thread queues the job again, and another failure ends it', async (t) => {
  const crashed = await setUp(t);
  await crashed.training().handleMessage(failed('worker-crashed'));
  assert.equal((await crashed.job()).status, 'queued');
  for (const code of ['loss-diverged', 'checkpoint-damaged']) {
    const { training, job } = await setUp(t);
    await training().handleMessage(failed(code));
    const { status, error, stoppedAt } = await job();
    assert.deepEqual([status, error], ['failed', { code, message: `It is ${code}.` }]);
    assert.deepEqual(stoppedAt, { step: 7, reason: 'failed' });
  }
});

test('a thread that can open no file leaves the job in the queue with a warning', async (t) => {
  const { training, job, events } = await setUp(t);
  const message = 'The training thread crashed: too many open files.';
  await training().handleMessage(failed('worker-crashed', message));
  const { status, attempts } = await job();
  assert.deepEqual([status, attempts], ['queued', 1]);
  assert.deepEqual(await events(), [
    { type: 'warning', code: 'too-many-open-files', message },
    { type: 'status', from: 'running', to: 'queued' },
  ]);
});

test('a stopped thread stores its checkpoint, and names the job that preempts it', async (t) => {
  const other = 'job_01K0000000000000000000000A';
  const { training, job, checkpoints } = await setUp(t, other);
  await training().handleMessage({ kind: 'stopped', step: 7, isPlanned: false, checkpoint });
  const { status, preemptedBy } = await job();
  assert.deepEqual([status, preemptedBy], ['queued', other]);
  assert.deepEqual(await checkpoints(), [7]);
  const without = await setUp(t);
  await without.training().handleMessage({ kind: 'stopped', step: 0, isPlanned: false, checkpoint: null });
  assert.deepEqual([(await without.job()).status, await without.checkpoints()], ['queued', []]);
  const cancelled = await setUp(t);
  await cancelled.cancel();
  await cancelled.training().handleMessage({ kind: 'stopped', step: 5, isPlanned: false, checkpoint: null });
  assert.deepEqual((await cancelled.job()).stoppedAt, { step: 5, reason: 'cancelled' });
});

test('a thread that stops at its planned epoch pauses there', async (t) => {
  const { training } = await setUp(t);
  const paused: number[] = [];
  const pauseAtEpoch = async (step: number) => void paused.push(step);
  await training({ pauseAtEpoch } as object).handleMessage({
    kind: 'stopped',
    step: 7,
    isPlanned: true,
    checkpoint: null,
  });
  assert.deepEqual(paused, [7]);
});

test('a checkpoint that cannot be stored is logged, unless the run is lost or the database is away', async (t) => {
  const { run, training, logged, checkpoints } = await setUp(t);
  const saving = (code: ErrorCode) => {
    const saveCheckpoint = () => Promise.reject(new AtelierError(code, `It is ${code}.`));
    return training({ saveCheckpoint }).handleMessage({ kind: 'checkpoint', ...checkpoint });
  };
  await saving('storage-full');
  const err = new AtelierError('storage-full', 'It is storage-full.');
  assert.deepEqual(logged, [[{ jobId: run.job.id, step: 7, err }, 'failed to store a checkpoint']]);
  for (const code of ['lease-lost', 'storage-unavailable'] as const) {
    await assert.rejects(saving(code), failure(code));
  }
  assert.equal(logged.length, 1);
  await training().handleMessage({ kind: 'checkpoint', ...checkpoint });
  assert.deepEqual(await checkpoints(), [7]);
});

test('an unexpected error before a training is logged and fails the job, an expected one only fails it', async (t) => {
  const expected = new AtelierError('dataset-damaged', 'It is damaged.');
  for (const error of [new TypeError('not a function'), expected]) {
    const summary = () => {
      throw error;
    };
    const { training, job, logged } = await setUp(t, undefined, { summary });
    assert.equal(await training().prepare(), null);
    const { id, status, error: failed, stoppedAt } = await job();
    assert.deepEqual(
      [status, failed?.code, stoppedAt],
      ['failed', error === expected ? 'dataset-damaged' : 'internal-error', { step: 0, reason: 'failed' }],
    );
    const line = [{ jobId: id, err: error }, 'failed to prepare a job'];
    assert.deepEqual(logged, error === expected ? [] : [line]);
  }
});

test('a job does not continue on other data than it began with', async (t) => {
  const { training, job } = await setUp(t, undefined, { summary: () => ({ digest: 'sha256:new' }) });
  const dataset = { id: 'fashion-mnist', digest: 'sha256:old' };
  assert.equal(await training({ dataset }).prepare(), null);
  const { id, status, error } = await job();
  assert.equal(status, 'failed');
  assert.deepEqual(error, {
    code: 'impossible-request',
    message:
      `Training job ${id} was trained on data set fashion-mnist with digest sha256:old. That data set now has digest ` +
      'sha256:new. Only the same data gives the same bits. Upload it again, or restore its files.',
  });
});

test('a damaged checkpoint that a training started from is discarded, and the job continues without it', async (t) => {
  const summary = () => {
    throw new AtelierError('storage-unavailable', 'The database is away.');
  };
  const { run, training, job, checkpoints, events } = await setUp(t, undefined, { summary });
  await run.saveCheckpoint({ step: 7, epoch: 1, loss: 0.5 }, new Uint8Array(8));
  const prepared = training();
  await assert.rejects(prepared.prepare(), failure('storage-unavailable'));
  await prepared.handleMessage(failed('checkpoint-damaged', 'It is damaged. Repair it.'));
  assert.deepEqual([(await job()).status, await checkpoints()], ['queued', []]);
  const warning = (await events()).find(({ type }) => type === 'warning');
  assert.match(
    String((warning as { message?: unknown }).message),
    /step 7 cannot be used, so the job continues from the beginning: It is damaged\. No action/,
  );
});
