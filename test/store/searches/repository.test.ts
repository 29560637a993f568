/** Searches in the store: decisions in a transaction, events, deletion. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VersionReference } from '../../../src/domain/models/reference.ts';
import type { Search } from '../../../src/domain/searches/representation.ts';
import { searchRequestSchema } from '../../../src/domain/searches/request.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import type { SearchJobs } from '../../../src/store/searches/actions.ts';
import type { SearchPlan } from '../../../src/store/searches/rows.ts';
import type { StoredTrial } from '../../../src/store/searches/trials.ts';
import {
  epochRecord,
  failure,
  openWithConnection,
  publish,
  request,
  runOf,
  startRun,
  temporaryStore,
  trained,
  untouched,
} from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

const resolved = {
  ...searchRequestSchema.parse({
    dataset: 'fashion-mnist',
    vary: [{ path: '/training/l2', choices: [0, 1, 2, 3] }],
    halving: { factor: 2, minEpochs: 1 },
  }),
  modelName: 'tuned',
};
const plan: SearchPlan = {
  settings: [[0], [1], [2], [3]],
  rungs: [1, 3],
  validationImages: 100,
  plannedEpochs: 8,
  checked: [1],
};
const jobs: SearchJobs = {
  parallel: 3,
  now: () => new Date(),
  trialJob: (setting, _repeat, gradientCheck) => ({
    request: { ...request('tuned'), gradientCheck, metadata: { l2: String(setting[0]) } },
    progress: untouched,
  }),
  finalJob: () => ({ request: request('tuned'), progress: untouched, stopAfterEpoch: 2 }),
};

const create = (store: Store) => store.searches.create(resolved, plan, { limit: 10 });

/** Until nothing is due. */
async function advance({ searches }: Store, id: string, all: SearchJobs = jobs): Promise<string[]> {
  const stopped: string[] = [];
  for (let isMore = true; isMore; ) {
    const advanced = await searches.advance(id, all);
    stopped.push(...advanced.stopping);
    ({ isMore } = advanced);
  }
  return stopped;
}

async function jobIds(store: Store, id: string): Promise<(string | null)[]> {
  return (await store.searches.trials(id)).map(({ trainings }) => trainings[0]!.jobId);
}

/** Trains a job to the end of an epoch, and pauses it there. */
async function reach(store: Store, jobId: string, epoch: number, loss: number): Promise<void> {
  const run = await startRun(store, jobId);
  assert.equal(run.stopAfterEpoch, epoch);
  await run.recordEpochs([{ record: epochRecord(epoch, loss), warnings: [] }], { ...untouched, epoch });
  await run.saveCheckpoint({ step: epoch, epoch, loss }, Buffer.from(`${jobId} ${epoch}`));
  await run.pauseAtEpoch(epoch);
}

async function succeed(store: Store, jobId: string, epoch: number, loss: number): Promise<void> {
  const run = await startRun(store, jobId);
  await run.recordEpochs([{ record: epochRecord(epoch, loss), warnings: [] }], { ...untouched, epoch });
  await run.finish({ status: 'succeeded', step: 9, reason: 'completed', epoch, model: trained });
}

storeTest('a search starts, stops, continues and ends its jobs, each exactly once', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const search = await create(store);
  // Two processes at once decide as one does.
  await Promise.all([advance(store, search.id), advance(store, search.id)]);
  const [a, b, c, none] = await jobIds(store, search.id);
  assert.equal(none, null);
  assert.equal(await store.jobs.count('queued'), 3);
  const first = (await store.jobs.get(a!))!;
  assert.deepEqual(first.search, { id: search.id, trial: 1 });
  assert.deepEqual([first.gradientCheck, (await store.jobs.get(b!))!.gradientCheck], [true, false]);

  await reach(store, a!, 1, 0.5);
  await reach(store, b!, 1, 0.3);
  await advance(store, search.id);
  const d = (await jobIds(store, search.id))[3]!;
  await reach(store, c!, 1, 0.4);
  await reach(store, d, 1, 0.6);
  await advance(store, search.id);
  await advance(store, search.id);
  const statuses = async () =>
    Promise.all([a!, b!, c!, d].map(async (id) => (await store.jobs.get(id))!.status));
  assert.deepEqual(await statuses(), ['cancelled', 'queued', 'queued', 'cancelled']);
  assert.deepEqual(await store.checkpoints.list(a!), [], 'a trial that is out keeps no checkpoint');
  assert.equal((await store.checkpoints.list(b!)).length, 1);

  await succeed(store, b!, 3, 0.2);
  // The value is that of the epoch that the trial would publish.
  await succeed(store, c!, 2, 0.1);
  assert.equal(runOf(c!).stopAfterEpoch, null, 'the last rung is the end of the training');
  assert.equal((await store.jobs.get(c!))!.publication, null, 'a trial publishes nothing');
  await advance(store, search.id);
  const waiting = (await searches.get(search.id))!;
  assert.equal(waiting.best?.trial, 3);
  assert.deepEqual([waiting.best.epoch, waiting.best.value], [2, 0.1]);
  assert.equal((await startRun(store, waiting.finalJob!)).stopAfterEpoch, 2);
  await runOf(waiting.finalJob!).finish({
    status: 'succeeded',
    step: 9,
    reason: 'budget',
    epoch: 2,
    model: trained,
  });
  await advance(store, search.id);

  const ended = (await searches.get(search.id))!;
  assert.equal(ended.status, 'succeeded');
  assert.deepEqual(ended.model, { name: 'tuned', version: 1 });
  assert.equal(ended.publication?.version, 1);
  assert.deepEqual([ended.progress.succeeded, ended.progress.stopped], [2, 2]);
  const { data: events } = await searches.events(search.id, { limit: 100 });
  assert.deepEqual(
    events.map(({ id }) => id),
    events.map((_, n) => n + 1),
  );
  assert.deepEqual(
    events.filter(({ type }) => type !== 'trial').map(({ type, data }) => [type, data]),
    [
      ['status', { to: 'running' }],
      ['rung', { rung: 1, epoch: 1, continued: [2, 3], stopped: [1, 4] }],
      ['final', { trial: 3, jobId: waiting.finalJob }],
      ['status', { from: 'running', to: 'succeeded' }],
    ],
  );

  assert.ok(!events.some(({ data }) => 'repeat' in data), 'the only training of a trial has no number');

  const page = await store.jobs.list({ search: search.id, limit: 10 });
  assert.equal(page.data.length, 5);
  assert.deepEqual((await store.jobs.list({ search: null, limit: 10 })).data, []);
  await assert.rejects(store.jobs.remove(b!), failure('training-job-in-use', search.id));
  await searches.remove(search.id);
  assert.equal(await searches.get(search.id), undefined);
  assert.deepEqual((await store.jobs.list({ limit: 10 })).data, []);
  assert.equal((await store.models.version('tuned', 1))?.version, 1, 'the version stays');
});

/** A search of two trials, and the id of its final job, which runs. */
async function runFinal(store: Store): Promise<{ id: string; finalJob: string }> {
  const flat = { ...resolved, halving: null };
  const { id } = await store.searches.create(
    flat,
    { ...plan, settings: [[0], [1]], rungs: [3] },
    { limit: 10 },
  );
  await advance(store, id);
  const [a, b] = await jobIds(store, id);
  await succeed(store, a!, 3, 0.5);
  await store.jobs.requestCancel(b!);
  await advance(store, id);
  const { finalJob } = (await store.searches.get(id))!;
  await startRun(store, finalJob!);
  return { id, finalJob: finalJob! };
}

storeTest('a search names the version that it published, even if the version has been deleted', async (t) => {
  const store = await temporaryStore(t);
  const { id, finalJob } = await runFinal(store);
  await runOf(finalJob).finish({ status: 'succeeded', step: 9, reason: 'completed', model: trained });
  await advance(store, id);
  await store.models.remove('tuned', 1);
  const [search, job] = [(await store.searches.get(id))!, (await store.jobs.get(finalJob))!];
  assert.deepEqual(search.model, { name: 'tuned', version: 1 });
  assert.deepEqual([search.model, search.publication], [job.model, job.publication]);
  const { succeeded, failed, cancelled } = search.progress;
  assert.deepEqual([succeeded, failed, cancelled], [1, 0, 1]);
});

storeTest('a search whose final training did not learn gives the reason', async (t) => {
  const store = await temporaryStore(t);
  const { id, finalJob } = await runFinal(store);
  const message = 'The accuracy is 10 %.';
  const publish = { promote: 'never', notLearned: message, judgement: null } as const;
  const outcome = { status: 'succeeded', step: 9, reason: 'completed', model: trained, publish } as const;
  await runOf(finalJob).finish(outcome);
  await advance(store, id);
  const { status, model, publication, error } = (await store.searches.get(id))!;
  assert.deepEqual([status, model, error], ['succeeded', null, null]);
  assert.deepEqual([publication?.version, publication?.reason], [null, message]);
  const { data: events } = await store.searches.events(id, { limit: 100 });
  assert.deepEqual(
    events.slice(-2).map(({ type, data }) => [type, data]),
    [
      ['warning', { code: 'not-learned', message }],
      ['status', { from: 'running', to: 'succeeded' }],
    ],
  );
});

storeTest('a search is paused with its jobs, continues with them, and can be cancelled', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const { id } = await create(store);
  await advance(store, id);
  const [a, b] = await jobIds(store, id);
  await startRun(store, a!);
  await searches.request(id, 'pause');
  assert.deepEqual(await advance(store, id), [a]);
  assert.equal((await searches.get(id))!.status, 'pausing');
  assert.equal((await store.jobs.get(b!))!.status, 'paused');
  await runOf(a!).release();
  await advance(store, id);
  assert.equal((await searches.get(id))!.status, 'paused');
  assert.deepEqual(await searches.unsettled(), []);
  await assert.rejects(searches.remove(id), failure('illegal-transition'));
  await assert.rejects(searches.request(id, 'finish'), failure('illegal-transition', 'paused'));

  await searches.request(id, 'resume');
  await advance(store, id);
  assert.equal(await store.jobs.count('queued'), 3);
  await searches.request(id, 'cancel');
  await advance(store, id);
  assert.equal((await searches.get(id))!.status, 'cancelled');
  assert.equal(await store.jobs.count('queued'), 0);
});

storeTest('a search without time left stops its trials, and trains the best ended one finally', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const budget = { seconds: 60 };
  const flat = { ...resolved, halving: null, budget };
  const { id, finishReason } = await searches.create(flat, { ...plan, rungs: [3] }, { limit: 10 });
  assert.equal(finishReason, null);
  await advance(store, id);
  const [a, b, c] = await jobIds(store, id);
  await succeed(store, a!, 3, 0.5);
  await startRun(store, b!);
  const early = { ...jobs, parallel: 1, now: () => new Date(Date.now() + 30_000) };
  await advance(store, id, early);
  assert.equal((await searches.get(id))!.finishing, false);

  // Another process with the same clock decides.
  const late = { ...jobs, now: () => new Date(Date.now() + 61_000) };
  assert.deepEqual(await advance(store, id, late), [b]);
  const finishing = (await searches.get(id))!;
  assert.deepEqual([finishing.finishing, finishing.finishReason], [true, 'time-budget']);
  assert.equal((await store.jobs.get(c!))!.status, 'cancelled');
  assert.equal((await jobIds(store, id))[3], null, 'no trial starts any more');
  assert.equal((await searches.request(id, 'finish')).finishReason, 'time-budget');
  await runOf(b!).release();
  await advance(store, id, late);
  const last = (await searches.get(id))!;
  assert.equal(last.best?.trial, 1);
  assert.notEqual(last.finalJob, null);
  const { waiting, skipped, stopped, succeeded } = last.progress;
  assert.deepEqual([waiting, skipped, stopped, succeeded], [0, 1, 2, 1]);
  const { data: events } = await searches.events(id, { limit: 100 });
  const [event] = events.filter(({ data }) => data['reason'] === 'time-budget');
  const { activeSeconds, ...data } = event!.data;
  assert.deepEqual(data, {
    from: 'running',
    to: 'running',
    finishing: true,
    reason: 'time-budget',
    ended: [1],
  });
  assert.ok(Number(activeSeconds) >= 60);
});

storeTest('a search keeps all its jobs if one of them prevents the deletion', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const settings = Array.from({ length: 11 }, (_, n) => [n]);
  const { id } = await searches.create(resolved, { ...plan, settings }, { limit: 10 });
  await advance(store, id, { ...jobs, parallel: 11 });
  await searches.request(id, 'cancel');
  await advance(store, id);
  // In the second transaction of the deletion.
  const last = (await jobIds(store, id))[10]!;
  const target = { of: last, expected: trained.digest, kernel: { name: 'k', digest: 'd' }, fused: true };
  await store.jobs.create(request(), untouched, { target });
  await assert.rejects(searches.remove(id), failure('training-job-in-use', last));
  assert.equal((await store.jobs.list({ search: id, limit: 20 })).data.length, 11);
});

storeTest(
  'an interrupted deletion reports what it deleted, and two at once complete each other',
  async (t) => {
    const store = await temporaryStore(t);
    const { searches } = store;
    const settings = Array.from({ length: 25 }, (_, n) => [n]);
    const { id } = await searches.create(resolved, { ...plan, settings }, { limit: 10 });
    await advance(store, id, { ...jobs, parallel: 25 });
    const ids = await jobIds(store, id);
    for (const job of ids) await reach(store, job!, 1, 0.5);
    for (const job of ids) await store.jobs.requestCancel(job!);
    await searches.request(id, 'cancel');
    await advance(store, id);

    const deleted: string[] = [];
    const record = async (checkpoints: readonly VersionReference[]) => {
      deleted.push(...checkpoints.map(({ name, version }) => `${name} ${version}`));
    };
    const interrupted = searches.remove(id, undefined, async (checkpoints) => {
      await record(checkpoints);
      throw new Error('interrupted');
    });
    await assert.rejects(interrupted, /interrupted/);
    assert.deepEqual(await searches.beingDeleted(), [id]);
    assert.deepEqual(
      deleted,
      ids.slice(0, 10).map((job) => `${job} 1`),
    );
    // The trials keep what they need to be shown.
    assert.ok((await searches.trials(id)).every(({ trainings }) => trainings[0]!.status === 'cancelled'));

    // Either may find that the other has deleted everything.
    const both = await Promise.allSettled([1, 2].map(() => searches.remove(id, undefined, record)));
    const late = both.flatMap((each) => (each.status === 'rejected' ? [each.reason.code as string] : []));
    assert.ok(late.length < 2 && late.every((code) => code === 'search-not-found'), late.join());
    assert.deepEqual(
      deleted.toSorted(),
      ids.map((job) => `${job} 1`),
    );
    assert.equal(await searches.get(id), undefined);
    assert.deepEqual(await searches.beingDeleted(), []);
  },
);

storeTest(
  'a large search advances in small transactions, each of which leaves the rest to the next',
  async (t) => {
    const store = await temporaryStore(t);
    const { searches } = store;
    const settings = Array.from({ length: 40 }, (_, n) => [n]);
    const flat = { ...resolved, halving: null };
    const { id } = await searches.create(flat, { ...plan, settings, rungs: [3] }, { limit: 10 });
    const wide = { ...jobs, parallel: 40 };
    assert.equal((await searches.advance(id, wide)).isMore, true);
    assert.equal(await store.jobs.count('queued'), 8);
    await advance(store, id, wide);
    assert.equal(await store.jobs.count('queued'), 40);

    const ids = await jobIds(store, id);
    for (const [n, job] of ids.entries()) await succeed(store, job!, 3, 1 - n / 100);
    // The leaderboard does not wait for the events.
    const losses = (await searches.trials(id)).map(
      ({ trainings }) => trainings[0]!.measured[0]?.validationLoss,
    );
    assert.deepEqual(
      losses,
      ids.map((_, n) => 1 - n / 100),
    );
    assert.equal((await searches.advance(id, wide)).isMore, true);
    assert.equal((await searches.get(id))!.finalJob, null, 'some trainings have not been reported');
    await advance(store, id, wide);
    const search = (await searches.get(id))!;
    assert.deepEqual([search.best?.trial, search.best?.value, search.progress.succeeded], [40, 0.61, 40]);
    const { data: events } = await searches.events(id, { limit: 100 });
    assert.deepEqual(
      events.map(({ type, data }) => [type, data['trial'] ?? null, data['status'] ?? null]),
      [
        ['status', null, null],
        ...['queued', 'succeeded'].flatMap((status) => ids.map((_, n) => ['trial', n + 1, status])),
        ['final', 40, null],
      ],
    );
  },
);

storeTest('a leaderboard that is read while states are copied shows the current states', async (t) => {
  const store = await temporaryStore(t);
  const { id } = await create(store);
  await advance(store, id);
  const [first] = await jobIds(store, id);
  await succeed(store, first!, 3, 0.5);
  const reads: Promise<StoredTrial[]>[] = [];
  let copying: Promise<unknown> | undefined;
  for (let n = 0; n < 40; n++) {
    reads.push(store.searches.trials(id));
    if (n === 20) copying = store.searches.advance(id, jobs);
    // The reads are between different statements when the transaction begins.
    await null;
  }
  const statuses = (await Promise.all(reads)).map(([trial]) => trial!.trainings[0]!.status);
  assert.deepEqual([...new Set(statuses)], ['succeeded']);
  await copying;
});

storeTest('a search that cannot go on cancels its jobs and fails', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const { id } = await create(store);
  await advance(store, id);
  await searches.fail(id, { code: 'unknown-dataset', message: 'It is gone.' });
  await advance(store, id);
  const search: Search = (await searches.get(id))!;
  assert.equal(search.status, 'failed');
  assert.deepEqual(search.error, { code: 'unknown-dataset', message: 'It is gone.' });
  assert.equal(await store.jobs.count('queued'), 0);
});

storeTest('jobs of a search wait for other jobs, and do not fill the queue', async (t) => {
  const store = await temporaryStore(t);
  const { id } = await create(store);
  await advance(store, id);
  const own = await store.jobs.create(request(), untouched, { queueLimit: 1 });
  assert.equal((await store.jobs.nextQueued())?.id, own.id);
  await assert.rejects(store.jobs.create(request(), untouched, { queueLimit: 1 }), failure('queue-full'));
});

storeTest('unfinished searches have a limit, and lists are paged from the newest', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) ids.unshift((await create(store)).id);
  await assert.rejects(searches.create(resolved, plan, { limit: 3 }), failure('queue-full', '3 searches'));
  await searches.request(ids[2]!, 'cancel');
  await advance(store, ids[2]!);
  await searches.create(resolved, plan, { limit: 3 });

  const list = async (query: Parameters<typeof searches.list>[0]) => {
    const { data, hasMore } = await searches.list(query);
    return [data.map(({ id }) => id), hasMore];
  };
  assert.deepEqual(await list({ limit: 1, after: ids[0] }), [[ids[1]], true]);
  assert.deepEqual(await list({ limit: 2, after: ids[0] }), [[ids[1], ids[2]], false]);
  assert.deepEqual(await list({ limit: 5, status: 'cancelled' }), [[ids[2]], false]);
});

storeTest('each repeat of a trial is a job, and only the first one checks the gradient', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const repeated = { ...resolved, halving: null, repeats: 2 };
  const settings = [[0], [1]];
  const { id } = await searches.create(repeated, { ...plan, settings, rungs: [3] }, { limit: 1 });
  await advance(store, id, { ...jobs, parallel: 4 });
  const trainings = async () => (await searches.trials(id)).flatMap((trial) => trial.trainings);
  const ids = (await trainings()).map(({ jobId }) => jobId!);
  assert.equal(new Set(ids).size, 4);
  const checks = await Promise.all(ids.map(async (job) => (await store.jobs.get(job))!.gradientCheck));
  assert.deepEqual(checks, [true, false, false, false]);

  for (const [n, job] of ids.entries()) await succeed(store, job, 3, [0.5, 0.1, 0.2, 0.2][n]!);
  await advance(store, id);
  assert.deepEqual(
    (await trainings()).map(({ repeat, measured: [measured] }) => [repeat, measured!.validationLoss]),
    [
      [0, 0.5],
      [1, 0.1],
      [0, 0.2],
      [1, 0.2],
    ],
  );
  const { best } = (await searches.get(id))!;
  assert.deepEqual([best?.trial, best?.value], [2, 0.2], 'the mean over the repeats decides');
  const { data: events } = await searches.events(id, { limit: 100 });
  const ended = events.filter(({ data }) => data['status'] === 'succeeded');
  assert.deepEqual(
    ended.map(({ data }) => [data['trial'], data['repeat'], data['value']]),
    [
      [1, 0, 0.5],
      [1, 1, 0.1],
      [2, 0, 0.2],
      [2, 1, 0.2],
    ],
  );
});

storeTest(
  'a resumed search continues jobs that the service has paused, but none that a client has',
  async (t) => {
    const store = await temporaryStore(t);
    const { searches } = store;
    const { id } = await create(store);
    await advance(store, id);
    const [a, b] = await jobIds(store, id);
    for (let end = 1; end <= 5; end++) {
      const { run } = await startRun(store, a!);
      await store.jobs.recoverOne(a!, run);
    }
    await store.jobs.requestPause(b!);
    const statuses = () => Promise.all([a, b].map(async (job) => (await store.jobs.get(job!))!.status));
    assert.deepEqual(await statuses(), ['paused', 'paused']);
    await advance(store, id);
    const paused = (await searches.get(id))!;
    assert.equal(paused.status, 'paused');
    assert.match(paused.pauseReason!, /^The process ended 5 times/);

    assert.equal((await searches.request(id, 'resume')).pauseReason, null);
    assert.deepEqual(await statuses(), ['queued', 'paused']);
  },
);

storeTest('a search is paused, resumed and cancelled with its final training', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const { id, finalJob } = await runFinal(store);
  await searches.request(id, 'pause');
  assert.deepEqual(await advance(store, id), [finalJob]);
  await runOf(finalJob).release();
  await advance(store, id);
  const statuses = async () => [(await searches.get(id))!.status, (await store.jobs.get(finalJob))!.status];
  assert.deepEqual(await statuses(), ['paused', 'paused']);
  await searches.request(id, 'resume');
  await advance(store, id);
  assert.deepEqual(await statuses(), ['running', 'queued']);
  await searches.request(id, 'cancel');
  await advance(store, id);
  assert.deepEqual(await statuses(), ['cancelled', 'cancelled']);
  await searches.fail(id, { code: 'unknown-dataset', message: 'Too late.' });
  assert.equal((await searches.get(id))!.error, null, 'a search that has ended cannot fail');
});

storeTest('a search whose final training fails gives the reason, with its own event', async (t) => {
  const store = await temporaryStore(t);
  const { id, finalJob } = await runFinal(store);
  const error = { code: 'worker-crashed', message: 'gone' } as const;
  await runOf(finalJob).finish({ status: 'failed', step: 1, error });
  await advance(store, id);
  const failed = { code: 'search-failed', message: 'The final training failed.' };
  const search = (await store.searches.get(id))!;
  assert.deepEqual([search.status, search.error, search.model], ['failed', failed, null]);
  assert.notEqual(search.finishedAt, null);
  const { data: events } = await store.searches.events(id, { limit: 100 });
  assert.deepEqual(
    events.slice(-2).map(({ type, data }) => [type, data]),
    [
      ['error', failed],
      ['status', { from: 'running', to: 'failed', reason: failed.message }],
    ],
  );
});

storeTest('a search that is finished on request has no result if no trial has one', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const { id } = await create(store);
  await advance(store, id);
  const [a] = await jobIds(store, id);
  const run = await startRun(store, a!);
  // Without a validation loss, an epoch cannot be compared.
  await run.recordEpochs([{ record: epochRecord(1, null), warnings: [] }], { ...untouched, epoch: 1 });
  assert.deepEqual((await searches.trials(id))[0]!.trainings[0]!.measured, []);
  const requested = await searches.request(id, 'finish');
  assert.deepEqual([requested.finishing, requested.finishReason], [true, 'requested']);
  const { data: events } = await searches.events(id, { limit: 100 });
  assert.deepEqual(events.at(-1)?.data, {
    from: 'running',
    to: 'running',
    finishing: true,
    reason: 'requested',
  });
  await advance(store, id);
  const { waiting, skipped } = (await searches.get(id))!.progress;
  assert.deepEqual([waiting, skipped], [0, 1]);
  await run.release();
  await advance(store, id);
  assert.equal((await searches.get(id))!.status, 'failed');
});

storeTest('a condition that does not hold prevents a change and the deletion of a search', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const { id } = await create(store);
  const refuse = ({ status }: Search) => {
    throw new Error(`it is ${status}`);
  };
  await assert.rejects(searches.request(id, 'cancel', refuse), /it is running/);
  await searches.request(id, 'cancel');
  await advance(store, id);
  await assert.rejects(searches.remove(id, refuse), /it is cancelled/);
  assert.equal((await searches.get(id))?.status, 'cancelled');
  assert.deepEqual(await searches.beingDeleted(), []);
});

storeTest('a new search shows its plan, and gives its trace to its events and jobs', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const search = await searches.create(resolved, plan, { limit: 10, traceparent });
  assert.deepEqual(await searches.get(search.id), search);
  const { id: _, createdAt, modelName, ...shown } = search;
  assert.ok(Date.parse(createdAt) > 0);
  assert.deepEqual([modelName, shown.vary, shown.halving], ['tuned', resolved.vary, resolved.halving]);
  assert.deepEqual([shown.status, shown.finishedAt, shown.finishing], ['running', null, false]);
  assert.deepEqual([shown.rungs, shown.validationImages, shown.best], [[1, 3], 100, null]);
  assert.deepEqual(shown.progress, {
    trials: 4,
    waiting: 4,
    active: 0,
    paused: 0,
    succeeded: 0,
    stopped: 0,
    skipped: 0,
    failed: 0,
    cancelled: 0,
    epochs: 0,
    plannedEpochs: 8,
  });
  const trials = await searches.trials(search.id);
  assert.deepEqual(
    trials.map(({ trial, rung, isOut, setting, trainings }) => [trial, rung, isOut, setting, trainings]),
    plan.settings.map((setting, n) => [
      n + 1,
      0,
      false,
      setting,
      [
        {
          status: 'waiting',
          pauseReason: null,
          measured: [],
          epochs: 0,
          error: null,
          repeat: 0,
          jobId: null,
          reported: null,
          uncopied: null,
        },
      ],
    ]),
  );
  const { data } = await searches.events(search.id, { limit: 10 });
  assert.deepEqual(
    data.map(({ data }) => data),
    [{ to: 'running', traceparent }],
  );
  await advance(store, search.id);
  const [first] = await jobIds(store, search.id);
  const started = (await store.events.list(first!, { limit: 10 })).data;
  assert.deepEqual(started[0]!.data, { to: 'queued', traceparent });
});

storeTest('each job of a search has the setting and the number of its repeat', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const repeated = { ...resolved, halving: null, repeats: 2 };
  const settings = [[3], [1]];
  const { id } = await searches.create(repeated, { ...plan, settings, rungs: [3] }, { limit: 1 });
  const of: unknown[] = [];
  const trialJob: SearchJobs['trialJob'] = (setting, repeat, checksGradient) => {
    of.push([setting, repeat, checksGradient]);
    return jobs.trialJob(setting, repeat, checksGradient);
  };
  await advance(store, id, { ...jobs, parallel: 4, trialJob });
  assert.deepEqual(of, [
    [[3], 0, true],
    [[3], 1, false],
    [[1], 0, false],
    [[1], 1, false],
  ]);
});

storeTest('a trial passes one rung after the other, also when no other trial is left', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const settings = [[0], [1]];
  const { id } = await searches.create(resolved, { ...plan, settings, rungs: [1, 2, 4] }, { limit: 10 });
  await advance(store, id);
  const [a, b] = await jobIds(store, id);
  await reach(store, a!, 1, 0.4);
  await reach(store, b!, 1, 0.5);
  await advance(store, id);
  const state = async () => (await searches.trials(id)).map(({ rung, isOut }) => [rung, isOut]);
  assert.deepEqual(await state(), [
    [1, false],
    [0, true],
  ]);
  await reach(store, a!, 2, 0.3);
  await advance(store, id);
  assert.deepEqual((await state())[0], [2, false]);
  const { data: events } = await searches.events(id, { limit: 100 });
  assert.deepEqual(
    events.filter(({ type }) => type === 'rung').map(({ data }) => data),
    [
      { rung: 1, epoch: 1, continued: [1], stopped: [2] },
      { rung: 2, epoch: 2, continued: [1], stopped: [] },
    ],
  );
  const last = events.filter(({ type, data }) => type === 'trial' && data['trial'] === 1).at(-1)!;
  const { status, rung, epoch, value, jobId } = last.data;
  assert.deepEqual([status, rung, epoch, value, jobId], ['queued', 2, 2, 0.3, a]);
});

storeTest('the trials of a cancelled search are cancelled, and not stopped by a decision', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const { id } = await create(store);
  await advance(store, id);
  await searches.request(id, 'cancel');
  await advance(store, id);
  assert.ok((await searches.trials(id)).every(({ isOut }) => !isOut));
  const { progress, finishedAt } = (await searches.get(id))!;
  assert.notEqual(finishedAt, null);
  assert.deepEqual([progress.cancelled, progress.stopped, progress.skipped], [3, 0, 1]);
  const { data: events } = await searches.events(id, { limit: 100 });
  assert.deepEqual(
    events.filter(({ data }) => data['status'] === 'cancelled').map(({ data }) => data['trial']),
    [1, 2, 3],
  );
});

storeTest('a search that cannot go on says why before its status changes', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  const { id } = await create(store);
  const error = { code: 'unknown-dataset', message: 'It is gone.' };
  await searches.fail(id, error);
  await advance(store, id);
  const { data: events } = await searches.events(id, { limit: 100 });
  assert.deepEqual(
    events.slice(1).map(({ type, data }) => [type, data]),
    [
      ['error', error],
      ['status', { from: 'running', to: 'cancelling' }],
      ['status', { from: 'cancelling', to: 'failed' }],
    ],
  );
  assert.deepEqual(
    (await searches.events(id, { limit: 2, after: 1 })).data.map((event) => event.id),
    [2, 3],
  );
});

storeTest('searches that are created at once do not exceed their limit', async (t) => {
  const store = await temporaryStore(t);
  const all = await Promise.allSettled(
    [1, 2, 3].map(() => store.searches.create(resolved, plan, { limit: 2 })),
  );
  assert.deepEqual(all.map(({ status }) => status).toSorted(), ['fulfilled', 'fulfilled', 'rejected']);
  const { data } = await store.searches.list({ limit: 10, status: 'running' });
  assert.deepEqual(
    await store.searches.unsettled(),
    data.map(({ id }) => id).toReversed(),
    'the oldest comes first',
  );
});

storeTest('a search has more trials than one statement inserts', async (t) => {
  const store = await temporaryStore(t);
  for (const count of [500, 501]) {
    const settings = Array.from({ length: count }, (_, n) => [n]);
    const { id } = await store.searches.create(resolved, { ...plan, settings }, { limit: 10 });
    const trials = await store.searches.trials(id);
    assert.deepEqual(
      trials.map(({ setting }) => setting),
      settings,
    );
  }
});

storeTest('the teachers of an unfinished search exist, and cannot be deleted', async (t) => {
  const store = await temporaryStore(t);
  const { searches } = store;
  await publish(store, 'teacher');
  await publish(store, 'other');
  const withTeachers = (version: number) => {
    const distillation = { teachers: [{ name: 'teacher', version }], weight: 0.5, temperature: 4 };
    return { ...resolved, training: { ...resolved.training, distillation } };
  };
  await assert.rejects(
    searches.create(withTeachers(2), plan, { limit: 10 }),
    failure('unknown-model', 'Version 2 of model teacher'),
  );
  const { id } = await searches.create(withTeachers(1), plan, { limit: 10 });
  await assert.rejects(store.models.remove('teacher', 1), failure('version-in-use', `running search ${id}`));
  await store.models.remove('other', 1);
  await searches.request(id, 'cancel');
  await advance(store, id);
  await store.models.remove('teacher', 1);
});

test('an event of a search is not earlier than the one before, which another process has written', async (t) => {
  const { store, raw } = await openWithConnection(t);
  const { id } = await create(store);
  const at = new Date(Date.now() + 200).toISOString();
  raw.prepare('update search_events set at = ?').run(at);
  await store.searches.request(id, 'pause');
  const { data } = await store.searches.events(id, { limit: 10 });
  assert.equal(data.length, 2);
  assert.ok(data[1]!.at >= at);
});

storeTest(
  'a trial is reported when it is queued and when it pauses, and not while it is active',
  async (t) => {
    const store = await temporaryStore(t);
    const { id } = await create(store);
    await advance(store, id);
    const [first, second] = await jobIds(store, id);
    const reported = async () => {
      const { data } = await store.searches.events(id, { limit: 100 });
      return data.flatMap((event) =>
        event.type === 'trial' ? [[event.data['trial'], event.data['status']]] : [],
      );
    };
    const queued = [1, 2, 3].map((trial) => [trial, 'queued']);
    assert.deepEqual(await reported(), queued);
    await startRun(store, first!);
    await advance(store, id);
    assert.deepEqual(await reported(), queued);
    await reach(store, second!, 1, 0.5);
    await advance(store, id);
    assert.deepEqual(await reported(), [...queued, [2, 'paused'], [4, 'queued']]);
  },
);
