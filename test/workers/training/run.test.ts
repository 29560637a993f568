import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import {
  CONTROL,
  type TrainingTask,
  type WorkerMessage,
  type WorkerReport,
} from '../../../src/workers/training/messages.ts';
import { startRun } from '../../../src/workers/training/run.ts';
import { planOf } from '../../numerics/fixtures.ts';
import { underway } from '../../store/fixtures.ts';
import { dense } from '../../support/dense.ts';

const crash = new AtelierError('worker-crashed', 'The thread crashed.');
const progress = (step: number): WorkerReport => ({ kind: 'progress', progress: { ...underway, step } });
const checkpoint = { kind: 'checkpoint', step: 9, epoch: 1, loss: null, bytes: new Uint8Array() } as const;

/** A run in a thread that does what the test says, with a clock that the test moves; thread.slow.test.ts has real ones. */
function start(
  t: TestContext,
  {
    hangsAfterMs,
    sizes = [4, 3],
    onMessage,
  }: {
    hangsAfterMs?: number;
    sizes?: number[];
    onMessage?: (message: WorkerMessage) => Promise<void>;
  } = {},
) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const result = Promise.withResolvers<WorkerMessage>();
  const messages: WorkerMessage[] = [];
  const terminations: (string | undefined)[] = [];
  let control: Int32Array = new Int32Array();
  let report = (_: WorkerReport) => {};
  const thread: Parameters<typeof startRun>[0] = {
    async call(_name, task, { onReport } = {}) {
      ({ control } = task as TrainingTask);
      report = onReport as typeof report;
      return result.promise as never;
    },
    async terminate(reason) {
      terminations.push(reason);
      result.reject(crash);
    },
    isUsable: () => true,
    exited: new Promise(() => {}),
  };
  const record = async (message: WorkerMessage) => void messages.push(message);
  const task = { plan: planOf(dense(sizes), { batchSize: 1024 }) } as TrainingTask;
  const run = startRun(thread, task, onMessage ?? record, hangsAfterMs);
  return {
    ...run,
    ...result,
    control,
    report,
    messages,
    terminations,
    tick: (ms: number) => t.mock.timers.tick(ms),
  };
}

test('reports are handled before the result, and the next checkpoint may follow when one is stored', async (t) => {
  const { control, ended, messages, report, resolve } = start(t);
  Atomics.store(control, CONTROL.checkpointPending, 1);
  report(progress(7));
  report(checkpoint);
  assert.equal(control[CONTROL.checkpointPending], 1);
  const stopped = { kind: 'stopped', step: 9, isPlanned: true, checkpoint: null } as const;
  resolve(stopped);
  await ended;
  assert.deepEqual(messages, [progress(7), checkpoint, stopped]);
  assert.equal(control[CONTROL.checkpointPending], 0);
});

test('a crash fails the run at the last reported step', async (t) => {
  for (const [reports, step] of [
    [[], 0],
    [[progress(7)], 7],
    [[progress(7), checkpoint], 9],
  ] as const) {
    const { ended, messages, reject, report } = start(t);
    for (const each of reports) report(each);
    reject(crash);
    await ended;
    const error = { code: 'worker-crashed', message: 'The thread crashed.', details: [] };
    assert.deepEqual(messages.at(-1), { kind: 'failed', error, step });
    t.mock.timers.reset();
  }
});

test('a thread that does not stop within five seconds is terminated, and counts as stopped', async (t) => {
  const { control, ended, messages, report, stop, terminations, tick } = start(t);
  report(progress(7));
  stop();
  assert.equal(control[CONTROL.stop], 1);
  tick(4999);
  stop();
  assert.deepEqual(terminations, []);
  tick(1);
  assert.deepEqual(terminations, [undefined]);
  await ended;
  assert.deepEqual(messages.at(-1), { kind: 'stopped', step: 7, isPlanned: false, checkpoint: null });
});

test('a run that has ended neither stops nor terminates the thread, which may have another one', async (t) => {
  const { control, ended, resolve, stop, terminations, tick } = start(t, { hangsAfterMs: 10_000 });
  stop();
  resolve({ kind: 'stopped', step: 0, isPlanned: false, checkpoint: null });
  await ended;
  Atomics.store(control, CONTROL.stop, 0);
  stop();
  tick(100_000);
  assert.deepEqual([control[CONTROL.stop], terminations], [0, []]);
});

test('a thread without a heartbeat is terminated after ten checks in a row', async (t) => {
  const { control, ended, terminations, tick } = start(t, { hangsAfterMs: 1000 });
  for (let checks = 0; checks < 20; checks++) {
    tick(100);
    if (checks === 9) Atomics.add(control, CONTROL.heartbeat, 1);
  }
  assert.deepEqual(terminations, []);
  tick(100);
  assert.deepEqual(terminations, ['The training thread hung: it did nothing for 1 seconds.']);
  await ended;
});

test('a thread has at least two minutes for a step, and more for large networks', async (t) => {
  for (const [sizes, seconds] of [
    [[4, 3], 120],
    // 3 · 1024 · (784 · 4096 + 4096² + 4096 · 16) multiply-adds, at 500,000 in a millisecond.
    [[784, 4096, 4096, 16], 243],
  ] as const) {
    const { ended, terminations, tick } = start(t, { sizes: [...sizes] });
    tick(1150 * seconds);
    await ended;
    assert.deepEqual(terminations, [`The training thread hung: it did nothing for ${seconds} seconds.`]);
    t.mock.timers.reset();
  }
});

test('a message that cannot be handled terminates the thread and ends the run with the error', async (t) => {
  const { ended, report, terminations } = start(t, {
    onMessage: () => Promise.reject(new Error('The disk is full.')),
  });
  report(progress(1));
  await assert.rejects(ended, /The disk is full/);
  assert.ok(terminations.length > 0);
});
