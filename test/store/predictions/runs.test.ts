/** Runs of prediction jobs whose rows another process, a damage or an earlier run has changed. */
import assert from 'node:assert/strict';
import type { SQLInputValue } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { failure, openWithConnection, publish } from '../fixtures.ts';

const JOB = {
  model: { name: 'shoes', version: 1 },
  classNames: ['cat', 'dog'],
  source: { pixels: '0-1' },
  images: 3,
  coverage: null,
} as const;

/** A queued job in a store, and its row, which the test can change behind the back of the store. */
async function openWithJob(t: TestContext) {
  const { store, raw } = await openWithConnection(t);
  await publish(store, 'shoes');
  const { predictionJobs: jobs } = store;
  const { id } = await jobs.create(JOB, { queueLimit: 10 });
  const set = (column: string, value: SQLInputValue) =>
    void raw.prepare(`update prediction_jobs set ${column} = ? where id = ?`).run(value, id);
  const read = (...columns: readonly string[]) => {
    const row = raw.prepare('select * from prediction_jobs where id = ?').get(id)!;
    return columns.map((column) => row[column]);
  };
  return { jobs, id, set, read };
}

test('a queued prediction job with a damaged row fails when it is started', async (t) => {
  const { jobs, id, set, read } = await openWithJob(t);
  set('class_names', '[x');
  assert.equal(await jobs.start(id, 'a'), null);
  assert.deepEqual(read('status', 'error_code', 'runner'), ['failed', 'state-unusable', null]);
  assert.match(String(read('error_message')[0]), /row of this job .* is damaged/);
  assert.notEqual(read('finished_at')[0], null);
  assert.equal(await jobs.nextQueued(), undefined);
  assert.deepEqual((await jobs.list({ limit: 10 })).data, [], 'a list leaves it out');
});

test('each run of a prediction job has a runner and begins with no image', async (t) => {
  const { jobs, id, set, read } = await openWithJob(t);
  set('done', 2);
  const first = await jobs.start(id, 'a');
  assert.deepEqual([first!.run, first!.job.progress.images], [1, 0]);
  assert.deepEqual(read('runner', 'done', 'run', 'attempts'), ['a', 0, 1, 1]);
  await first!.recordProgress(2);
  await first!.release();
  assert.deepEqual(read('status', 'runner', 'done'), ['queued', null, 0]);

  const [startedAt] = read('started_at');
  const second = await jobs.start(id);
  assert.deepEqual(read('runner', 'run', 'attempts', 'started_at'), [null, 2, 2, startedAt]);
  await second!.recordProgress(1);
  await jobs.recoverOne(id, 2);
  assert.deepEqual(read('status', 'runner', 'done', 'run'), ['queued', null, 0, 3]);
  await assert.rejects(second!.recordProgress(2), failure('lease-lost', 'Run 2', id));
});

test('a prediction job does not start or end before a clock ahead created it', async (t) => {
  const { jobs, id, set, read } = await openWithJob(t);
  const ahead = new Date(Date.now() + 300).toISOString();
  set('created_at', ahead);
  await jobs.start(id);
  assert.ok(String(read('started_at')[0]) >= ahead);
  assert.ok((await jobs.cancel(id)).finishedAt! >= ahead);
});

test('a prediction job that never started is not cancelled before a clock ahead created it', async (t) => {
  const { jobs, id, set } = await openWithJob(t);
  const ahead = new Date(Date.now() + 600).toISOString();
  set('created_at', ahead);
  assert.ok((await jobs.cancel(id)).finishedAt! >= ahead);
});

test('a resumed prediction job is paused again after as many unclean ends as before', async (t) => {
  const { jobs, id, read } = await openWithJob(t);
  const end = async () => {
    const run = await jobs.start(id);
    await jobs.recoverOne(id, run!.run);
    return read('status', 'unclean_ends');
  };
  const ends = async () => [await end(), await end(), await end(), await end(), await end()];
  const expected = [
    ['queued', 1],
    ['queued', 2],
    ['queued', 3],
    ['queued', 4],
    ['paused', 5],
  ];
  assert.deepEqual(await ends(), expected);
  await jobs.resume(id, 10);
  assert.deepEqual(await ends(), expected);
});
