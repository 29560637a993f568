import assert from 'node:assert/strict';
import type { Store } from '../../../src/store/persistent-state.ts';
import {
  epochRecord,
  failure,
  newJob,
  request,
  runOf,
  startRun,
  temporaryStore,
  trained,
  underway,
} from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

async function eventsOf(store: Store, id: string): Promise<unknown[]> {
  const { data } = await store.events.list(id, { limit: 100 });
  assert.deepEqual(
    data.map((event) => event.id),
    data.map((_, n) => n + 1),
  );
  return data.map((event) => [event.type, event.data]);
}

storeTest('a successful job publishes a version, and its events list every status', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running', 'shoes');
  const job = await runOf(id).finish({
    status: 'succeeded',
    step: 8440,
    reason: 'completed',
    model: trained,
  });
  assert.equal(job.status, 'succeeded');
  assert.deepEqual(job.model, { name: 'shoes', version: 1 });
  const { promoted, reason } = job.publication!;
  assert.deepEqual([promoted, reason], [true, 'It is the first version of model shoes.']);
  assert.equal(job.digest, trained.digest);
  assert.deepEqual(job.stoppedAt, { step: 8440, reason: 'completed' });
  assert.ok(job.finishedAt! >= job.startedAt!);
  assert.deepEqual(await store.jobs.get(id), job);
  const version = await store.models.version('shoes', 1);
  const { datasetId, datasetDigest, ...measured } = trained;
  assert.deepEqual(version, {
    ...measured,
    layers: '784-40-10',
    parameters: 31_810,
    name: 'shoes',
    version: 1,
    createdAt: version?.createdAt,
    aliases: ['champion'],
    description: null,
    metadata: { who: 'a test' },
    tags: [],
    calibration: null,
    lineage: {
      source: 'training',
      jobId: id,
      dataset: { id: datasetId, digest: datasetDigest },
      seed: 7,
      request: request('shoes'),
      parent: null,
      teachers: [],
      import: null,
      copiedFrom: null,
    },
  });
  assert.deepEqual(await eventsOf(store, id), [
    ['status', { to: 'queued' }],
    ['status', { from: 'queued', to: 'running' }],
    ['status', { from: 'running', to: 'succeeded', publication: job.publication }],
  ]);
});

storeTest('a failed job stores the reason, and its error event precedes its last status', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const error = { code: 'loss-diverged', message: 'the loss is NaN at step 12' } as const;
  const job = await runOf(id).finish({ status: 'failed', step: 12, error });
  assert.deepEqual(job.error, error);
  assert.deepEqual(job.stoppedAt, { step: 12, reason: 'failed' });
  assert.equal(job.model, null);
  assert.deepEqual((await eventsOf(store, id)).slice(2), [
    ['error', error],
    ['status', { from: 'running', to: 'failed' }],
  ]);
});

storeTest('a queued job is cancelled immediately', async (t) => {
  const store = await temporaryStore(t);
  const job = await store.jobs.requestCancel(await newJob(store));
  assert.equal(job.status, 'cancelled');
  assert.ok(job.finishedAt);
  assert.deepEqual(job.stoppedAt, { step: 0, reason: 'cancelled' });
});

storeTest('a running job stays cancelling until its thread has stopped', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const asked = await store.jobs.requestCancel(id);
  assert.deepEqual([asked.status, asked.finishedAt, asked.stoppedAt], ['cancelling', null, null]);
  const stopped = await runOf(id).release(77);
  assert.equal(stopped.status, 'cancelled');
  assert.deepEqual(stopped.stoppedAt, { step: 77, reason: 'cancelled' });
});

storeTest('an illegal transition changes neither the job nor its events', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  await runOf(id).recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway);
  await assert.rejects(startRun(store, id), failure('illegal-transition', 'running'));
  await assert.rejects(store.jobs.resume(id), failure('illegal-transition', 'running', 'paused'));
  const before = await runOf(id).finish({
    status: 'succeeded',
    step: 9,
    reason: 'completed',
    model: trained,
  });
  const events = await eventsOf(store, id);
  const error = { code: 'worker-crashed', message: 'gone' } as const;
  for (const illegal of [
    () => startRun(store, id),
    () => runOf(id).release(),
    () => store.jobs.requestPause(id),
    () => store.jobs.resume(id),
    () => runOf(id).requeue({ status: 'failed', step: 9, error }),
    () => store.jobs.requestCancel(id),
    () => runOf(id).finish({ status: 'failed', step: 9, error }),
    () => runOf(id).finish({ status: 'succeeded', step: 9, reason: 'completed', model: trained }),
    () => runOf(id).recordProgress(underway),
    () => runOf(id).recordEpochs([{ record: epochRecord(2, 0.4), warnings: [] }], underway),
  ]) {
    await assert.rejects(illegal(), failure('illegal-transition', 'succeeded'));
  }
  assert.deepEqual(await store.jobs.get(id), before);
  assert.deepEqual(await eventsOf(store, id), events);
  assert.equal((await store.epochRecords.list(id)).length, 1);
  assert.equal((await store.models.get('fashion-mnist'))?.versions, 1);
});

storeTest('the error of a request that the status does not allow names the allowed statuses', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store);
  await store.jobs.requestPause(id);
  const pauses = 'A paused job cannot be paused. Only queued or running jobs can be paused.';
  await assert.rejects(store.jobs.requestPause(id), failure('illegal-transition', pauses));
  await store.jobs.requestCancel(id);
  const cancels =
    'A cancelled job cannot be cancelled. Only queued, running, pausing or paused jobs can be cancelled.';
  await assert.rejects(store.jobs.requestCancel(id), failure('illegal-transition', cancels));
  const resumes = 'A cancelled job cannot be resumed. Only paused jobs can be resumed.';
  await assert.rejects(store.jobs.resume(id), failure('illegal-transition', resumes));
});

storeTest('of two concurrent starts of a job, one succeeds', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store);
  const results = await Promise.allSettled([startRun(store, id), startRun(store, id)]);
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.equal((await store.jobs.get(id))?.attempts, 1);
});

storeTest('a requeued job keeps its metrics, first start and attempt', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  await runOf(id).recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway);
  const before = await store.jobs.get(id);
  assert.equal((await runOf(id).release()).status, 'queued');
  assert.deepEqual((await startRun(store, id)).job, before);
  assert.deepEqual(await store.epochRecords.list(id), [epochRecord(1, 0.5)]);
});

storeTest('a queued job is paused immediately, and keeps its queue position when resumed', async (t) => {
  const store = await temporaryStore(t);
  const [id, later] = [await newJob(store), await newJob(store)];
  assert.equal((await store.jobs.requestPause(id)).status, 'paused');
  assert.equal((await store.jobs.nextQueued())?.id, later);
  assert.equal((await store.jobs.resume(id)).status, 'queued');
  assert.equal((await store.jobs.nextQueued())?.id, id);
});

storeTest('concurrent resumes respect the queue limit, and the other jobs stay paused', async (t) => {
  const store = await temporaryStore(t);
  const ids = await Promise.all(Array.from({ length: 9 }, () => newJob(store)));
  for (const id of ids) await store.jobs.requestPause(id);
  const results = await Promise.allSettled(ids.map((id) => store.jobs.resume(id, undefined, 4)));
  const refused = results.filter((result) => result.status === 'rejected');
  assert.ok(refused.every(({ reason }) => failure('queue-full', '4 training jobs')(reason)));
  assert.deepEqual([await store.jobs.count('queued'), await store.jobs.count('paused')], [4, 5]);
  const queued = (await store.jobs.nextQueued())!.id;
  await assert.rejects(store.jobs.resume(queued, undefined, 4), failure('illegal-transition', 'queued'));
});

storeTest(
  'a running job stays pausing until its thread has stopped, and a paused job can be cancelled',
  async (t) => {
    const store = await temporaryStore(t);
    const id = await newJob(store, 'running');
    assert.equal((await store.jobs.requestPause(id)).status, 'pausing');
    await runOf(id).recordProgress(underway);
    await assert.rejects(store.jobs.resume(id), failure('illegal-transition', 'pausing'));
    const paused = await runOf(id).release();
    assert.deepEqual([paused.status, paused.stoppedAt, paused.finishedAt], ['paused', null, null]);
    const cancelled = await store.jobs.requestCancel(id);
    assert.deepEqual(
      [cancelled.status, cancelled.stoppedAt],
      ['cancelled', { step: 844, reason: 'cancelled' }],
    );
  },
);

storeTest('a failing job gets three attempts, each with a warning, then fails with the reason', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const failed = { status: 'failed', step: 12, error: { code: 'worker-crashed', message: 'gone' } } as const;
  for (const attempts of [2, 3]) {
    const waiting = await runOf(id).requeue(failed);
    assert.deepEqual([waiting.status, waiting.attempts], ['queued', attempts]);
    await startRun(store, id);
  }
  const job = await runOf(id).requeue(failed);
  assert.deepEqual([job.status, job.attempts, job.error], ['failed', 3, failed.error]);
  const told = (await eventsOf(store, id)) as [string, Record<string, unknown>][];
  assert.deepEqual(
    told.flatMap(([type, data]) => (type === 'status' ? [] : [[type, data['code']]])),
    [
      ['warning', 'worker-crashed'],
      ['warning', 'worker-crashed'],
      ['error', 'worker-crashed'],
    ],
  );
});

for (const { asked, becomes } of [
  { asked: 'requestPause', becomes: 'paused' },
  { asked: 'requestCancel', becomes: 'cancelled' },
] as const) {
  storeTest(`a job whose thread fails after ${asked} is ${becomes}, and not tried again`, async (t) => {
    const store = await temporaryStore(t);
    const id = await newJob(store, 'running');
    await store.jobs[asked](id);
    const error = { code: 'worker-crashed', message: 'gone' } as const;
    const job = await runOf(id).requeue({ status: 'failed', step: 12, error });
    assert.deepEqual([job.status, job.error], [becomes, null]);
  });
}

storeTest('jobs of a killed process are requeued, cancelled or paused', async (t) => {
  const store = await temporaryStore(t);
  const queued = await newJob(store);
  const running = await newJob(store, 'running');
  const cancelling = await newJob(store, 'cancelling');
  const pausing = await newJob(store, 'running');
  await store.jobs.requestPause(pausing);
  await runOf(cancelling).recordProgress(underway);
  const changed = await store.jobs.recoverInterrupted();
  assert.deepEqual(
    changed.map(({ id, status }) => [id, status]),
    [
      [running, 'queued'],
      [cancelling, 'cancelled'],
      [pausing, 'paused'],
    ],
  );
  assert.deepEqual(changed[1]?.stoppedAt, { step: underway.step, reason: 'cancelled' });
  assert.deepEqual(changed[1]?.progress, { ...underway, etaSeconds: 0 });
  assert.equal((await store.jobs.get(queued))?.status, 'queued');
  assert.deepEqual((await eventsOf(store, running)).at(-1), ['status', { from: 'running', to: 'queued' }]);
  assert.deepEqual(await store.jobs.recoverInterrupted(), []);
});

storeTest('a job during which the process ends five times is paused, and resuming tries again', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  const calm = await newJob(store);
  for (let end = 1; end <= 4; end++) {
    await store.jobs.recoverInterrupted();
    assert.equal(await store.jobs.uncleanEnds(id), end);
    await startRun(store, id);
  }
  await store.jobs.recoverInterrupted();
  const paused = await store.jobs.get(id);
  assert.equal(paused?.status, 'paused');
  assert.match(paused.pauseReason ?? '', /The process ended 5 times .*`resume` tries again/);
  assert.deepEqual((await eventsOf(store, id)).slice(-2), [
    ['warning', { code: 'paused-by-service', message: paused.pauseReason }],
    ['status', { from: 'queued', to: 'paused' }],
  ]);
  assert.equal(await store.jobs.uncleanEnds(calm), 0);
  const resumed = await store.jobs.resume(id);
  assert.equal(resumed.pauseReason, null);
  assert.equal(await store.jobs.uncleanEnds(id), 2, 'it still runs alone');
});

storeTest('a shutdown, a new epoch and a new checkpoint do not count as unclean ends', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store, 'running');
  await runOf(id).release();
  await store.jobs.recoverInterrupted();
  assert.equal(await store.jobs.uncleanEnds(id), 0);
  const progress: (() => Promise<void>)[] = [
    () => runOf(id).recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway),
    () => runOf(id).saveCheckpoint({ step: 1, epoch: 1, loss: null }, new Uint8Array([1])),
  ];
  for (const record of progress) {
    await startRun(store, id);
    await store.jobs.recoverInterrupted();
    assert.equal(await store.jobs.uncleanEnds(id), 1);
    await startRun(store, id);
    await record();
    assert.equal(await store.jobs.uncleanEnds(id), 0);
    await runOf(id).release();
  }
});
