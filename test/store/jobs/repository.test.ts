import assert from 'node:assert/strict';
import type { JobStatus } from '../../../src/domain/jobs/status.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { failure, newJob, request, runOf, startRun, temporaryStore, untouched } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

storeTest('a new job is queued with its request and its first event', async (t) => {
  const store = await temporaryStore(t);
  assert.equal(await store.jobs.isEmpty(), true);
  const job = await store.jobs.create(request('shoes'), untouched);
  assert.match(job.id, /^job_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual(job, {
    ...request('shoes'),
    id: job.id,
    status: 'queued',
    waiting: null,
    pauseReason: null,
    preemptedBy: null,
    createdAt: job.createdAt,
    startedAt: null,
    finishedAt: null,
    progress: untouched,
    latest: null,
    warnings: [],
    best: null,
    model: null,
    publication: null,
    notify: null,
    traceparent: null,
    gradientCheckReport: null,
    attempts: 0,
    stoppedAt: null,
    digest: null,
    receipt: null,
    search: null,
    verification: null,
    error: null,
  });
  assert.deepEqual(await store.jobs.get(job.id), job);
  const { data } = await store.events.list(job.id, { limit: 10 });
  assert.deepEqual(
    data.map(({ id, type, data }) => ({ id, type, data })),
    [{ id: 1, type: 'status', data: { to: 'queued' } }],
  );
  assert.equal(await store.jobs.isEmpty(), false);
});

storeTest('returns undefined for an unknown job', async (t) => {
  const store = await temporaryStore(t);
  assert.equal(await store.jobs.get('job_nobody'), undefined);
  assert.equal((await store.jobs.nextQueued())?.id, undefined);
  assert.equal(await store.jobs.uncleanEnds('job_nobody'), 0);
  assert.deepEqual(await store.jobs.list({ limit: 10 }), { data: [], hasMore: false });
  await assert.rejects(store.jobs.start('job_nobody'), failure('training-job-not-found', 'job_nobody'));
});

storeTest('concurrently created jobs have distinct ids in order of creation', async (t) => {
  const store = await temporaryStore(t);
  const created = await Promise.all(Array.from({ length: 50 }, () => newJob(store)));
  assert.equal(new Set(created).size, 50);
  const { data } = await store.jobs.list({ limit: 100 });
  const times = data.map(({ createdAt }) => createdAt);
  assert.deepEqual(times, times.toSorted().reverse());
});

storeTest('concurrent creations respect the queue limit', async (t) => {
  const store = await temporaryStore(t);
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => store.jobs.create(request(), untouched, { queueLimit: 7 })),
  );
  assert.equal(await store.jobs.count('queued'), 7);
  const refused = results.filter((result) => result.status === 'rejected');
  assert.equal(refused.length, 13);
  assert.ok(refused.every(({ reason }) => failure('queue-full', '7 training jobs')(reason)));
  await store.jobs.start((await store.jobs.nextQueued())!.id);
  await store.jobs.create(request(), untouched, { queueLimit: 7 });
});

storeTest('paused jobs are limited together with queued ones, when a job is created', async (t) => {
  const store = await temporaryStore(t);
  const create = () => store.jobs.create(request(), untouched, { queueLimit: 1 });
  for (let n = 0; n < 10; n++) await store.jobs.requestPause((await create()).id);
  await assert.rejects(create(), failure('queue-full', '10 training jobs are queued or paused'));
  const { data: paused } = await store.jobs.list({ limit: 2, status: 'paused' });
  await store.jobs.resume(paused[0]!.id, undefined, 1);
  await store.jobs.start(paused[0]!.id);
  await create();
});

storeTest('pages neither skip nor repeat a job while jobs are created', async (t) => {
  const store = await temporaryStore(t);
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.push(await newJob(store));
  const first = await store.jobs.list({ limit: 2 });
  await newJob(store);
  const second = await store.jobs.list({ limit: 2, after: first.data[1]!.id });
  await newJob(store);
  const third = await store.jobs.list({ limit: 2, after: second.data[1]!.id });
  assert.deepEqual([first.hasMore, second.hasMore, third.hasMore], [true, true, false]);
  const seen = [first, second, third].flatMap(({ data }) => data.map(({ id }) => id));
  assert.deepEqual(seen, ids.toReversed());
});

storeTest('a page that ends with the last job has hasMore false', async (t) => {
  const store = await temporaryStore(t);
  await newJob(store);
  await newJob(store);
  assert.equal((await store.jobs.list({ limit: 2 })).hasMore, false);
  assert.equal((await store.jobs.list({ limit: 1 })).hasMore, true);
});

storeTest('a cursor that is not a job works by its position in the order', async (t) => {
  const store = await temporaryStore(t);
  const id = await newJob(store);
  const idsAfter = async (after: string) =>
    (await store.jobs.list({ limit: 5, after })).data.map((job) => job.id);
  assert.deepEqual(await idsAfter('job_7ZZZZZZZZZZZZZZZZZZZZZZZZZ'), [id]);
  assert.deepEqual(await idsAfter('job_00000000000000000000000000'), []);
});

storeTest('pages of one status contain that status only', async (t) => {
  const store = await temporaryStore(t);
  const running: string[] = [];
  for (let n = 0; n < 3; n++) {
    await newJob(store);
    running.push(await newJob(store, 'running'));
  }
  const first = await store.jobs.list({ limit: 2, status: 'running' });
  const rest = await store.jobs.list({ limit: 2, status: 'running', after: first.data[1]!.id });
  assert.deepEqual(
    [...first.data, ...rest.data].map(({ id }) => id),
    running.toReversed(),
  );
  assert.equal(first.hasMore, true);
  assert.equal(rest.hasMore, false);
});

storeTest('the next job is the one that has been waiting longest', async (t) => {
  const store = await temporaryStore(t);
  const [first, second] = [await newJob(store), await newJob(store)];
  assert.equal((await store.jobs.nextQueued())?.id, first);
  await startRun(store, first);
  assert.equal((await store.jobs.nextQueued())?.id, second);
  await runOf(first).release();
  assert.equal((await store.jobs.nextQueued())?.id, first);
});

storeTest(
  'jobs of higher priority come first, and jobs of equal priority in order of creation',
  async (t) => {
    const store = await temporaryStore(t);
    const create = async (priority: number) =>
      (await store.jobs.create({ ...request(), priority }, untouched)).id;
    const [low, usual, high, alsoHigh] = [
      await create(-10),
      await newJob(store),
      await create(5),
      await create(5),
    ];
    for (const [n, priority] of [5, 4, 0, -10].entries()) {
      assert.equal(await store.jobs.countAhead(priority), [2, 2, 3, 4][n]);
    }
    const ahead = await store.jobs.listAhead(0, 3);
    assert.deepEqual(
      ahead.map(({ id }) => id),
      [high, alsoHigh, usual],
    );
    assert.deepEqual(await store.jobs.listAhead(0, 1), ahead.slice(0, 1));
    for (const id of [high, alsoHigh, usual, low]) {
      assert.equal((await store.jobs.nextQueued())?.id, id);
      await startRun(store, id);
    }
    await runOf(low).release();
    await runOf(high).release();
    assert.equal((await store.jobs.nextQueued())?.id, high);
    const job = await store.jobs.get(high);
    assert.deepEqual([job?.priority, (await store.jobs.get(usual))?.priority], [5, 0]);
  },
);

storeTest(
  'a change of the priority moves a job in the queue, with an event, until it has ended',
  async (t) => {
    const store = await temporaryStore(t);
    const [first, second] = [await newJob(store), await newJob(store)];
    for (const _ of [1, 2]) assert.equal((await store.jobs.changePriority(second, 3)).priority, 3);
    assert.equal((await store.jobs.nextQueued())?.id, second);
    const { data } = await store.events.list(second, { limit: 9, after: 1 });
    assert.deepEqual(
      data.map(({ type, data }) => [type, data]),
      [['priority', { from: 0, to: 3 }]],
    );
    await store.jobs.requestCancel(first);
    await assert.rejects(store.jobs.changePriority(first, 1), failure('illegal-transition', 'cancelled'));
  },
);

storeTest('jobs are counted by status', async (t) => {
  const store = await temporaryStore(t);
  await newJob(store);
  await newJob(store);
  await newJob(store, 'running');
  await newJob(store, 'cancelling');
  const counts: Record<string, number> = {};
  for (const status of ['queued', 'running', 'cancelling', 'failed'] as JobStatus[]) {
    counts[status] = await count(store, status);
  }
  assert.deepEqual(counts, { queued: 2, running: 1, cancelling: 1, failed: 0 });
});

function count(store: Store, status: JobStatus): Promise<number> {
  return store.jobs.count(status);
}
