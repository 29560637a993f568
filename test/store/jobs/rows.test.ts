import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobRow } from '../../../src/store/database/tables.ts';
import { newJobRow, toJob, traceOf } from '../../../src/store/jobs/rows.ts';
import { request, untouched } from '../fixtures.ts';

const CREATED = '2026-11-26T00:00:00.000Z';
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const kernel = (digit: string) => ({ name: 'a kernel', digest: digest(digit) });
const environment = { dataset: { id: 'dst_a', digest: digest('d') }, kernel: kernel('a'), fused: true };
const target = { of: 'job_0', expected: digest('e'), kernel: kernel('a'), fused: true };

function newRow(changes: Partial<JobRow> = {}, isVerification = false): JobRow {
  const row = newJobRow(
    'job_1',
    CREATED,
    { ...request('shoes'), priority: 3 },
    { ...untouched, etaSeconds: 9 },
    isVerification ? target : null,
    null,
    null,
    null,
  );
  return { ...row, ...changes };
}

test('the row of a new job has its priority, warm start, webhook, search and trace', () => {
  const plain = newRow();
  assert.deepEqual(
    [plain.priority, plain.event_count, plain.run, plain.attempts, plain.unclean_ends, plain.mixed],
    [3, 1, 0, 0, 0, 0],
  );
  assert.deepEqual(
    [plain.warm_start_name, plain.warm_start_version, plain.notify, plain.search_id, plain.search_trial],
    [null, null, null, null, null],
  );
  const warm = { ...request('shoes'), warmStart: { name: 'boots', version: 7 } };
  const membership = { id: 'sch_1', trial: 4, stopAfterEpoch: 5 };
  const row = newJobRow(
    'job_1',
    CREATED,
    warm,
    untouched,
    null,
    'https://hooks.example/',
    membership,
    'trace',
  );
  assert.deepEqual([row.warm_start_name, row.warm_start_version, row.traceparent], ['boots', 7, 'trace']);
  assert.deepEqual([row.search_id, row.search_trial, row.stop_after_epoch], ['sch_1', 4, 5]);
  assert.equal(toJob(row).notify?.url, 'https://hooks.example/');
  assert.deepEqual(toJob(row).search, { id: 'sch_1', trial: 4 });
  assert.deepEqual([traceOf(row), traceOf(plain)], [{ traceparent: 'trace' }, null]);
});

test('a job has no time left once it has ended', () => {
  for (const status of ['queued', 'running', 'paused'] as const)
    assert.equal(toJob(newRow({ status })).progress.etaSeconds, 9);
  for (const status of ['succeeded', 'failed', 'cancelled'] as const)
    assert.equal(toJob(newRow({ status })).progress.etaSeconds, 0);
});

test('a job that makes room for another one names it while it is queued', () => {
  const preemption = JSON.stringify({ preemptedBy: 'job_2' });
  assert.equal(toJob(newRow({ preemption })).preemptedBy, 'job_2');
  assert.equal(toJob(newRow({ preemption, status: 'running' })).preemptedBy, null);
  assert.equal(toJob(newRow({ preemption: JSON.stringify({ id: 'job_2', run: 1 }) })).preemptedBy, null);
});

test('a job has a receipt once it has an environment and has stopped', () => {
  const stopped = { stopped_step: 5, stopped_reason: 'completed' } as const;
  const circumstances = JSON.stringify(environment);
  const row = newRow({ ...stopped, circumstances, digest: digest('e') });
  const job = toJob(row);
  const stoppedAt = { step: 5, reason: 'completed' };
  assert.deepEqual(job.stoppedAt, stoppedAt);
  const { request: requested, ...receipt } = job.receipt!;
  assert.deepEqual(receipt, {
    ...environment,
    seed: 7,
    stoppedAt,
    mixed: false,
    digest: digest('e'),
  });
  assert.deepEqual([requested.modelName, requested.priority], ['shoes', 3]);
  assert.equal(toJob({ ...row, mixed: 1 }).receipt?.mixed, true);
  for (const missing of [{ stopped_step: null }, { stopped_reason: null }]) {
    const { stoppedAt: none, receipt: noReceipt } = toJob({ ...row, ...missing });
    assert.deepEqual([none, noReceipt], [null, null]);
  }
  assert.equal(toJob({ ...row, circumstances: null }).receipt, null);
});

test('a verification compares the last environment, and the first one if they differ', () => {
  const verify = (changes: Partial<JobRow>) => {
    const { agrees, sameKernel, sameProcessor } = toJob(newRow(changes, true)).verification!;
    return [agrees, sameKernel, sameProcessor];
  };
  const circumstances = JSON.stringify(environment);
  const origin = JSON.stringify({ kernel: kernel('b'), fused: false });
  assert.equal(toJob(newRow()).verification, null);
  assert.deepEqual(verify({}), [null, null, null]);
  assert.deepEqual(verify({ circumstances, origin, digest: digest('e') }), [true, true, true]);
  assert.deepEqual(verify({ circumstances, origin, mixed: 1, digest: digest('f') }), [false, false, false]);
});

test('a job names its version, its warnings and its error if it has them', () => {
  const plain = toJob(newRow());
  assert.deepEqual([plain.model, plain.warnings, plain.error], [null, [], null]);
  const row = newRow({ model_version: 2, warnings: '[{"code":"a"}]', error_code: 'b', error_message: 'c' });
  const job = toJob(row);
  assert.deepEqual(
    [job.model, job.warnings, job.error],
    [{ name: 'shoes', version: 2 }, [{ code: 'a' }], { code: 'b', message: 'c' }],
  );
});
