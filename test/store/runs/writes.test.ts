/** Runs: who may write into a job, and how one passes from a dead runner to the next. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { ExecutionEnvironment } from '../../../src/domain/training/reproducibility.ts';
import type { Run, Store } from '../../../src/store/persistent-state.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import {
  epochRecord,
  failure,
  newJob,
  request,
  runOf,
  startRun,
  temporaryDirectory,
  temporaryStore,
  trained,
  underway,
  untouched,
} from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

const TABLES = ['jobs', 'events', 'metrics', 'checkpoints', 'models', 'model_versions'];
const crashed = {
  status: 'failed',
  step: 1,
  error: { code: 'worker-crashed', message: 'gone' },
} as const;
const success = { status: 'succeeded', step: 8440, reason: 'completed', model: trained } as const;
const checkpoint = { step: 7, epoch: 1, loss: 0.5 };
const bytes = (value: number) => new Uint8Array(64).fill(value);

/** Everything that the runner of a job can write. */
const writes: Readonly<Record<string, (run: Run) => Promise<unknown>>> = {
  recordProgress: (run) => run.recordProgress(underway),
  recordEpochs: (run) => run.recordEpochs([{ record: epochRecord(2, 0.4), warnings: [] }], underway),
  'recordEpochs of a known epoch': (run) =>
    run.recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway),
  recordGradientCheck: (run) =>
    run.recordGradientCheck({
      passed: true,
      reason: null,
      advice: null,
      relativeError: 0,
      tolerance: 1,
      coordinates: 1,
      kinks: 0,
      kernel: null,
    }),
  saveCheckpoint: (run) => run.saveCheckpoint({ step: 9, epoch: 1, loss: 0.1 }, bytes(9)),
  discardCheckpoint: (run) => run.discardCheckpoint(7, { code: 'checkpoint-damaged' }),
  warn: (run) => run.warn({ code: 'dead-units' }),
  release: (run) => run.release(),
  requeue: (run) => run.requeue(crashed),
  'finish with a failure': (run) => run.finish(crashed),
  'finish with a version': (run) => run.finish(success),
};

async function openReadable(t: TestContext) {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  const raw = new DatabaseSync(join(directory, 'atelier.sqlite'), { timeout: 5000, readOnly: true });
  t.after(async () => {
    raw.close();
    await store.close();
  });
  return { store, rows: () => TABLES.map((table) => raw.prepare(`select * from ${table}`).all()) };
}

test('a run that has lost its job writes nothing, in any status of the job', async (t) => {
  const { store, rows } = await openReadable(t);
  const id = await newJob(store, 'running');
  const stale = runOf(id);
  await stale.recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway);
  await stale.saveCheckpoint(checkpoint, bytes(7));
  const became: Readonly<Record<string, () => Promise<unknown>>> = {
    queued: () => store.jobs.recoverOne(id, stale.run),
    running: () => startRun(store, id),
    pausing: () => store.jobs.requestPause(id),
    cancelling: () => store.jobs.requestCancel(id),
    succeeded: () => runOf(id).finish(success),
  };
  for (const [status, change] of Object.entries(became)) {
    await change();
    assert.equal((await store.jobs.get(id))?.status, status);
    const before = rows();
    for (const [name, write] of Object.entries(writes)) {
      await assert.rejects(write(stale), failure('lease-lost', id), `${name}, ${status}`);
    }
    assert.deepEqual(rows(), before, status);
  }
  assert.equal((await store.models.get('fashion-mnist'))?.versions, 1);
});

test('a run that has ended writes nothing, so a repeated release does not resume a paused job', async (t) => {
  const { store, rows } = await openReadable(t);
  const id = await newJob(store, 'running');
  await runOf(id).saveCheckpoint(checkpoint, bytes(7));
  await store.jobs.requestPause(id);
  await runOf(id).release();
  const before = rows();
  for (const [name, write] of Object.entries(writes)) {
    await assert.rejects(write(runOf(id)), failure('illegal-transition', 'paused'), name);
  }
  assert.deepEqual(rows(), before);
});

storeTest(
  'if two runs finish concurrently, the current one publishes, and its parameters stay',
  async (t) => {
    const store = await temporaryStore(t);
    const id = await newJob(store, 'running');
    const stale = runOf(id);
    await store.jobs.recoverOne(id, stale.run);
    const current = await startRun(store, id);
    const publish = (run: Run, parameters: Uint8Array) =>
      store.blobs.putReferenced(parameters, async (digest) => {
        await run.finish({ ...success, model: { ...trained, digest } });
        return digest;
      });
    const [same, other, published] = await Promise.allSettled([
      publish(stale, bytes(1)),
      publish(stale, bytes(2)),
      publish(current, bytes(1)),
    ]);
    assert.deepEqual([same.status, other.status], ['rejected', 'rejected']);
    assert.ok(published.status === 'fulfilled');
    assert.equal((await store.models.get('fashion-mnist'))?.versions, 1);
    assert.deepEqual(await store.blobs.get(published.value), bytes(1));
    const job = await store.jobs.get(id);
    assert.equal(job?.digest, published.value);
  },
);

storeTest('the recovery of one run leaves other jobs and later runs alone', async (t) => {
  const store = await temporaryStore(t);
  const [running, pausing, cancelling, other] = [
    await newJob(store, 'running'),
    await newJob(store, 'running'),
    await newJob(store, 'cancelling'),
    await newJob(store, 'running'),
  ];
  await store.jobs.requestPause(pausing);
  const recover = (id: string) => store.jobs.recoverOne(id, runOf(id).run);
  assert.deepEqual(
    [await recover(running), await recover(pausing), await recover(cancelling)],
    ['queued', 'paused', 'cancelled'],
  );
  assert.equal(await recover(running), null, 'it is recovered once');
  const { run } = await startRun(store, running);
  assert.equal(await store.jobs.recoverOne(running, run - 1), null);
  assert.deepEqual(
    (await store.jobs.active()).map(({ id, status }) => [id, status]),
    [
      [running, 'running'],
      [other, 'running'],
    ],
  );
  assert.equal(await store.jobs.uncleanEnds(running), 1);
});

storeTest('a run names its runner until it ends', async (t) => {
  const store = await temporaryStore(t);
  const { id } = await store.jobs.create(request(), untouched);
  const run = await store.jobs.start(id, { runner: 'replica-a' });
  const active = (await store.jobs.active()).map((each) => ({ ...each }));
  assert.deepEqual(active, [{ id, run: run!.run, runner: 'replica-a', status: 'running' }]);
  await run!.release();
  assert.deepEqual(await store.jobs.active(), []);
});

test('a running job is not started again, even by its own runner', async (t) => {
  const { store, rows } = await openReadable(t);
  const { id } = await store.jobs.create(request(), untouched);
  await store.jobs.start(id, { runner: 'replica-a' });
  const before = rows();
  for (const options of [{}, { runner: 'replica-a' }, { runner: 'replica-b' }]) {
    await assert.rejects(store.jobs.start(id, options), failure('illegal-transition', 'running'));
  }
  assert.deepEqual(rows(), before);
});

const environment = (fused: boolean): ExecutionEnvironment => ({
  dataset: { id: 'fashion-mnist', digest: 'sha256:d' },
  kernel: { name: 'simd-float32', digest: 'sha256:k' },
  fused,
});

async function warningsOf(store: Store, id: string) {
  const { data } = await store.events.list(id, { limit: 100 });
  return data.flatMap(({ type, data: { code } }) => (type === 'warning' ? [code] : []));
}

storeTest(
  'a job that continues from a checkpoint in another environment is mixed, and warns once',
  async (t) => {
    const store = await temporaryStore(t);
    const { id } = await store.jobs.create(request(), untouched);
    const start = async (fused: boolean) =>
      (await store.jobs.start(id, { detectEnvironment: () => environment(fused) }))!;
    const first = await start(true);
    assert.equal(await store.jobs.origin(id), null);
    await first.release();
    // Without a checkpoint the training begins again.
    const second = await start(false);
    await second.saveCheckpoint(checkpoint, bytes(7));
    const { kernel } = environment(false);
    assert.deepEqual(await store.jobs.origin(id), { kernel, fused: false });
    await second.release();
    assert.deepEqual(await warningsOf(store, id), []);

    for (let n = 0; n < 2; n++) {
      const mixed = await start(true);
      await mixed.saveCheckpoint({ ...checkpoint, step: 8 + n }, bytes(8));
      await mixed.release();
    }
    assert.deepEqual(await warningsOf(store, id), ['mixed-environments']);
    assert.deepEqual(await store.jobs.origin(id), { kernel, fused: false });
    const job = await (await start(false)).finish(success);
    assert.deepEqual([job.receipt?.mixed, job.receipt?.fused], [true, false]);
  },
);

storeTest('every run knows the data set of the first one, and so does the receipt', async (t) => {
  const store = await temporaryStore(t);
  const { id } = await store.jobs.create(request(), untouched);
  const { dataset: first, ...others } = environment(true);
  for (const digest of [first.digest, 'sha256:other']) {
    const detectEnvironment = () => ({ ...others, dataset: { ...first, digest } });
    const run = (await store.jobs.start(id, { detectEnvironment }))!;
    assert.deepEqual(run.dataset, first);
    if (digest === first.digest) await run.release();
    else assert.deepEqual((await run.finish(success)).receipt?.dataset, first);
  }
});

storeTest('a job whose checkpoints are all discarded begins again, in one environment', async (t) => {
  const store = await temporaryStore(t);
  const { id } = await store.jobs.create(request(), untouched);
  const detect = (fused: boolean) => ({ detectEnvironment: () => environment(fused) });
  const first = (await store.jobs.start(id, detect(true)))!;
  await first.saveCheckpoint(checkpoint, bytes(7));
  await first.saveCheckpoint({ ...checkpoint, step: 8 }, bytes(8));
  await first.release();
  const second = (await store.jobs.start(id, detect(false)))!;
  await second.discardCheckpoint(8, { code: 'checkpoint-damaged' });
  assert.equal((await store.jobs.origin(id))?.fused, true);
  await second.discardCheckpoint(7, { code: 'checkpoint-damaged' });
  assert.equal(await store.jobs.origin(id), null);
  const job = await second.finish(success);
  assert.deepEqual([job.receipt?.mixed, job.receipt?.fused], [false, false]);
});

storeTest('a wait for storage is recorded once when it begins and once when it ends', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store);
  const run = await startRun(store, id);
  const waiting = async () => (await store.jobs.get(id))!.waiting;
  const recorded = async () =>
    (await store.events.list(id, { limit: 100 })).data.flatMap(({ type, data }) =>
      'waiting' in data ? [[type, data['waiting']]] : [],
    );
  const begin = [['warning', 'storage']];
  for (let n = 0; n < 2; n++) await run.recordWaiting('storage', { code: 'storage-full' });
  assert.deepEqual([await waiting(), await recorded()], ['storage', begin]);
  await store.jobs.requestPause(id);
  assert.equal(await waiting(), 'storage', 'a pausing job still waits');
  for (let n = 0; n < 2; n++) await run.recordWaiting(null, { code: 'storage-full' });
  assert.deepEqual([await waiting(), await recorded()], [null, [...begin, ['warning', null]]]);

  await run.recordWaiting('storage', { code: 'storage-full' });
  assert.equal((await run.release()).waiting, null);
  const all = [...begin, ['warning', null], ...begin, ['status', null]];
  assert.deepEqual(await recorded(), all);
  await run.recordWaiting('storage', { code: 'storage-full' });
  assert.deepEqual([await waiting(), await recorded()], [null, all], 'the run has ended');
});

storeTest('a run that stops at an epoch is paused, or cancelled if that was requested', async (t) => {
  const store = await temporaryStore(t);
  const [paused, cancelled] = [await newJob(store, 'running'), await newJob(store, 'cancelling')];
  assert.equal((await runOf(paused).pauseAtEpoch(844)).status, 'paused');
  const job = await runOf(cancelled).pauseAtEpoch(844);
  assert.deepEqual([job.status, job.stoppedAt], ['cancelled', { step: 844, reason: 'cancelled' }]);
  assert.equal(await store.jobs.uncleanEnds('job_nobody'), 0);
});

storeTest(
  'a job that succeeds keeps the checkpoints that it asks for, and one that fails keeps all',
  async (t) => {
    const store = await temporaryStore(t);
    const losses = [0.5, 0.2, 0.4];
    for (const [keepCheckpoints, status, kept] of [
      ['all', 'succeeded', [1, 2, 3]],
      ['best', 'succeeded', [2]],
      ['last', 'succeeded', [3]],
      ['none', 'succeeded', []],
      ['none', 'failed', [1, 2, 3]],
    ] as const) {
      const body = request();
      const { id } = await store.jobs.create(
        { ...body, training: { ...body.training, keepCheckpoints } },
        untouched,
      );
      const run = await startRun(store, id);
      for (const [n, loss] of losses.entries())
        await run.saveCheckpoint({ step: n + 1, epoch: n + 1, loss }, bytes(n));
      await run.finish(status === 'succeeded' ? success : crashed);
      const steps = (await store.checkpoints.list(id)).map(({ step }) => step);
      assert.deepEqual(steps.toSorted(), kept, `${keepCheckpoints} ${status}`);
    }
  },
);
