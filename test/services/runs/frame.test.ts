import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { createRunJob } from '../../../src/services/runs/frame.ts';
import { createWaits } from '../../../src/services/runs/waits.ts';

const outage = new AtelierError('storage-unavailable', 'The database is away.');
const run = { run: 3 };

/** Runs a job whose start and execution are given. `details` has what was logged. */
function open(
  start: () => Promise<typeof run | null>,
  execute: (started: typeof run) => Promise<void> = async () => assert.fail('was executed'),
) {
  const waits = createWaits('storage');
  const details: object[] = [];
  const log = { info() {}, warn: (each: object) => void details.push(each), error: assert.fail };
  const runJob = createRunJob({ start, execute, waits, log });
  const { signal } = new AbortController();
  return { waits, details, runJob: (closing = signal) => runJob('job_1', signal, closing) };
}

test('the start of a job is repeated while the storage is away, and the job waits for storage until then', async () => {
  let starts = 0;
  const waiting = () => {
    const { id, waiting } = waits.mark({ id: 'job_1', waiting: null });
    return [waits.count(), id, waiting, waits.mark({ id: 'job_2', waiting: null }).waiting];
  };
  const { details, runJob, waits } = open(
    async () => {
      if (++starts === 1) throw outage;
      assert.deepEqual(waiting(), [1, 'job_1', 'storage', null]);
      return run;
    },
    async (started) => {
      assert.equal(started, run);
      assert.deepEqual(waiting(), [0, 'job_1', null, null]);
    },
  );
  await runJob();
  assert.deepEqual([starts, details], [2, [{ jobId: 'job_1', err: outage }]]);
});

test('the start of a job is not repeated after another error, nor once the service closes', async () => {
  const damaged = new AtelierError('state-unusable', 'The row is damaged.');
  await assert.rejects(open(() => Promise.reject(damaged)).runJob(), damaged);
  const { details, runJob } = open(() => Promise.reject(outage));
  await assert.rejects(runJob(AbortSignal.abort()), outage);
  assert.deepEqual(details, []);
});

test('a job that is no longer queued is not executed', async () => {
  await open(async () => null).runJob();
});

test('a run whose job has been taken over ends without a result, and a defect is reported', async () => {
  const failWith = (error: Error) =>
    open(
      async () => run,
      () => Promise.reject(error),
    );
  const lost = failWith(new AtelierError('lease-lost', 'Another replica runs the job.'));
  await lost.runJob();
  assert.deepEqual(lost.details, [{ jobId: 'job_1', run: 3 }]);
  const defect = new RangeError('a defect');
  await assert.rejects(failWith(defect).runJob(), defect);
});
