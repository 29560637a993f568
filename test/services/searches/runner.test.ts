import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { searchRequestSchema } from '../../../src/domain/searches/request.ts';
import { AtelierError } from '../../../src/errors.ts';
import { createSearchRunner } from '../../../src/services/searches/runner.ts';
import type { SearchJobs } from '../../../src/store/searches/actions.ts';
import { catalogOf } from '../../support/catalog.ts';

const labels = Uint8Array.from({ length: 40 }, (_, n) => n % 2);
const images = { pixels: new Uint8Array(0), labels };
const digits: Dataset = {
  id: 'digits',
  imageShape: [28, 28],
  classNames: ['a', 'b'],
  digest: '',
  train: images,
  validation: null,
  learning: images,
  test: images,
};
const searchOf = (body: object = {}) => ({
  ...searchRequestSchema.parse({
    dataset: 'digits',
    modelName: 'tuned',
    seed: 5,
    training: { epochs: 9, batchSize: 4, earlyStopping: { patience: 2 } },
    vary: [{ path: '/training/l2', choices: [0.1, 0.2] }],
    ...body,
  }),
  id: 'sea_1',
  status: 'running',
});

type Listener = (jobId: string, events: readonly object[]) => void;

/** @param advance does what is due, as the store does; by default nothing is left afterwards */
function setUp(
  search: object | undefined,
  advance: (jobs: SearchJobs) => object = () => ({ stopping: [], removed: [], isMore: false }),
  datasets: readonly Dataset[] = [digits],
) {
  const calls: unknown[] = [];
  let listener: Listener = () => {};
  const idle = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const searches = {
    get: async () => search,
    async advance(id: string, jobs: SearchJobs) {
      calls.push(['advance', id]);
      return advance(jobs);
    },
    fail: async (_id: string, { code }: AtelierError) => void calls.push(['fail', code]),
    unsettled: async () => ['sea_1'],
  };
  const runner = createSearchRunner({
    store: {
      searches,
      events: { onCommitted: (each: Listener) => (listener = each) },
    } as unknown as Parameters<typeof createSearchRunner>[0]['store'],
    catalog: catalogOf(...datasets),
    queue: { notify: () => void calls.push(['notify']), stop: (id) => void calls.push(['stop', id]) },
    keepCheckpoints: 'last',
    slots: () => 3,
    log: {
      info() {},
      warn: (_details, message) => void calls.push(['warn', message]),
      error: (_details, message) => void calls.push(['error', message]),
    },
  });
  return { runner, searches, calls, commit: (...args: Parameters<Listener>) => listener(...args), idle };
}

/** The jobs that a search hands to the store. */
async function jobsOf(body: object = {}): Promise<SearchJobs> {
  const found: SearchJobs[] = [];
  const { runner, idle } = setUp(searchOf(body), (jobs) => {
    found.push(jobs);
    return { stopping: [], removed: [], isMore: false };
  });
  runner.notify('sea_1');
  await idle();
  await runner.close();
  return found[0]!;
}

test('a search advances until nothing more is due, and stops the jobs that it must', async () => {
  let rounds = 0;
  const { runner, calls, idle } = setUp(searchOf(), () => ({ stopping: ['job_7'], isMore: ++rounds < 2 }));
  runner.notify('sea_1');
  await idle();
  const round = [['advance', 'sea_1'], ['stop', 'job_7'], ['notify']];
  assert.deepEqual(calls, [...round, ...round]);
  await runner.close();
  runner.notify('sea_1');
  await idle();
  assert.equal(calls.length, 6);
});

test('a search advances when one of its jobs has ended or paused, and when the process starts', async () => {
  const { runner, calls, commit, idle } = setUp(searchOf());
  const status = (to: string, searchId: string | null) => ({
    type: 'status',
    data: { to },
    job: { searchId },
  });
  commit('job_1', [
    status('queued', 'sea_1'),
    status('running', 'sea_1'),
    status('succeeded', null),
    { type: 'epoch', data: { to: 'succeeded' }, job: { searchId: 'sea_1' } },
    { type: 'status', data: { to: 'succeeded' }, job: null },
  ]);
  await idle();
  assert.deepEqual(calls, []);
  for (const to of ['succeeded', 'paused']) commit('job_1', [status(to, 'sea_1')]);
  await idle();
  assert.ok(calls.some((call) => String(call) === 'advance,sea_1'));
  calls.length = 0;
  runner.start();
  await idle();
  assert.ok(calls.some((call) => String(call) === 'advance,sea_1'));
  await runner.close();
});

test('an error of the request fails a search, and a race or an outage does not', async () => {
  for (const [error, expected] of [
    [new AtelierError('impossible-request', 'x'), ['warn', 'fail']],
    [new AtelierError('search-not-found', 'x'), []],
    [new AtelierError('illegal-transition', 'x'), ['error']],
    [new AtelierError('storage-unavailable', 'x'), ['error']],
    [new Error('a defect'), ['error']],
  ] as const) {
    let isFirst = true;
    const { runner, calls, idle } = setUp(searchOf(), () => {
      if (!isFirst) return { stopping: [], isMore: false };
      isFirst = false;
      throw error;
    });
    runner.notify('sea_1');
    await idle();
    await runner.close();
    const kinds = calls.map((call) => (call as string[])[0]!);
    assert.deepEqual(
      kinds.filter((kind) => kind !== 'advance' && kind !== 'notify'),
      expected,
      String(error),
    );
  }
});

test('a search advances once for each notice, also after another one has failed', async () => {
  let isFirst = true;
  const { runner, calls, idle } = setUp(searchOf(), () => {
    if (!isFirst) return { stopping: [], isMore: false };
    isFirst = false;
    throw new TypeError('a defect');
  });
  runner.notify('sea_1');
  runner.notify('sea_2');
  await idle();
  const second = [['advance', 'sea_2'], ['notify']];
  assert.deepEqual(calls, [['advance', 'sea_1'], ['error', 'failed to advance a search'], ...second]);
  calls.length = 0;
  runner.notify('sea_2');
  await idle();
  assert.deepEqual(calls, second);
  await runner.close();
});

test('no other search advances once the runner closes', async () => {
  const { runner, calls, idle } = setUp(searchOf(), () => {
    void runner.close();
    return { stopping: [], isMore: true };
  });
  runner.notify('sea_1');
  runner.notify('sea_2');
  await idle();
  assert.deepEqual(calls, [['advance', 'sea_1'], ['notify']]);
});

test('a search that another process has left advances at the next sweep', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { runner, calls, idle } = setUp(searchOf());
  runner.start();
  await idle();
  const round = [['advance', 'sea_1'], ['notify']];
  assert.deepEqual(calls, round);
  t.mock.timers.tick(4999);
  await idle();
  assert.deepEqual(calls, round);
  t.mock.timers.tick(1);
  await idle();
  assert.deepEqual(calls, [...round, ...round]);
  await runner.close();
  t.mock.timers.tick(5000);
  await idle();
  assert.equal(calls.length, 4);
});

test('a search that does not exist is left alone, and one without its data set can still be cancelled', async () => {
  const absent = setUp(undefined);
  absent.runner.notify('sea_1');
  await absent.idle();
  assert.deepEqual(absent.calls, []);
  const without = setUp(searchOf(), undefined, []);
  without.runner.notify('sea_1');
  await without.idle();
  assert.deepEqual(without.calls, [['advance', 'sea_1'], ['notify']]);
  await Promise.all([absent.runner.close(), without.runner.close()]);
});

test('a trial has the seed of its repeat, its setting and the progress of its steps', async () => {
  const jobs = await jobsOf();
  assert.equal(jobs.parallel, 3);
  const { request, progress } = jobs.trialJob([0.2], 2, true);
  assert.deepEqual(
    [request.seed, request.training.l2, request.training.keepCheckpoints, request.gradientCheck],
    [7, 0.2, 'last', true],
  );
  // 36 images in batches of 4.
  assert.deepEqual([progress.epochs, progress.steps], [9, 81]);
  assert.equal(jobs.trialJob([0.2], 0, false).request.gradientCheck, false);
  const unchecked = await jobsOf({ gradientCheck: false, parallel: 2 });
  assert.equal(unchecked.parallel, 2);
  assert.equal(unchecked.trialJob([0.2], 0, true).request.gradientCheck, false);
});

test('the final training uses all images up to the best epoch, or repeats the trial', async () => {
  const jobs = await jobsOf();
  const { request, stopAfterEpoch } = jobs.finalJob([0.1], 4);
  const { validation, earlyStopping, budget } = request.training;
  assert.deepEqual([validation, earlyStopping, budget, stopAfterEpoch], [null, null, null, 4]);
  assert.deepEqual([request.seed, request.testSet, request.gradientCheck], [5, 'once', false]);
  assert.equal(jobs.finalJob([0.1], 8).stopAfterEpoch, 8);
  assert.equal(jobs.finalJob([0.1], 9).stopAfterEpoch, null, 'the training ends there by itself');
  assert.equal(jobs.finalJob([0.1], null).stopAfterEpoch, null);
  const repeated = (await jobsOf({ final: { trainOn: 'training-part', testSet: 'never' } })).finalJob(
    [0.1],
    4,
  );
  assert.deepEqual([repeated.stopAfterEpoch, repeated.request.testSet], [null, 'never']);
  assert.deepEqual(repeated.request.training.validation, { fraction: 0.1 });
});

test('a trial that this release cannot train fails its search with the reason', async () => {
  const jobs = await jobsOf({ vary: [{ path: '/training/l2', choices: [0.1, -1] }] });
  assert.equal(jobs.trialJob([0.1], 0, false).request.training.l2, 0.1);
  assert.throws(() => jobs.trialJob([-1], 0, false), {
    code: 'impossible-request',
    message: /^This release cannot train a trial\. .*at least 0/,
  });
});

test('a sweep that cannot read the searches is a warning, and the next one is made', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { runner, calls, idle, searches } = setUp(searchOf());
  const unsettled = t.mock.method(searches, 'unsettled', () => Promise.reject(new Error('a defect')));
  runner.start();
  await idle();
  assert.deepEqual(calls, [['warn', 'failed to look for searches']]);
  unsettled.mock.restore();
  calls.length = 0;
  t.mock.timers.tick(5000);
  await idle();
  assert.deepEqual(calls, [['advance', 'sea_1'], ['notify']]);
  await runner.close();
});
