import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import type { TrainingPlan } from '../../../src/numerics/training/plan.ts';
import type { WorkerMessage } from '../../../src/workers/training/messages.ts';
import { startTrainingThread } from '../../../src/workers/training/thread.ts';
import { planOf } from '../../numerics/fixtures.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { dense } from '../../support/dense.ts';

const { train, test: tested } = await loadFashionMnist(DATA_DIR);
const plan = planOf(dense([784, 4, 10]), { batchSize: 1024, holdout: { fraction: 0.98 } });

/** Runs a training thread to its end and returns all its messages. */
async function run(options: {
  plan?: Partial<TrainingPlan>;
  threads?: number;
  checkGradient?: boolean;
  checkpointEverySeconds?: number;
  checkpoint?: Uint8Array | null;
  thread?: Parameters<typeof startTrainingThread>[1];
  onStart?: (worker: Worker, stop: () => void) => void;
  onMessage?: (message: WorkerMessage, stop: () => void) => Promise<void> | void;
}): Promise<WorkerMessage[]> {
  const messages: WorkerMessage[] = [];
  const started = once(process, 'worker') as Promise<[Worker]>;
  const threads = options.threads ?? 1;
  const thread = startTrainingThread(threads, options.thread);
  const task = thread.run(
    {
      plan: { ...plan, ...options.plan },
      threads,
      checkGradient: options.checkGradient ?? false,
      budgetSeconds: null,
      checkpointEverySeconds: options.checkpointEverySeconds ?? 5,
      stopAfterEpoch: null,
      checkpoint: options.checkpoint ?? null,
      train,
      test: tested,
      testOnce: false,
    },
    async (message) => {
      messages.push(message);
      await options.onMessage?.(message, task.stop);
    },
  );
  const [worker] = await started;
  options.onStart?.(worker, task.stop);
  await task.ended.finally(thread.end);
  return messages;
}

const endless = { epochs: 10_000, batchSize: 16 };
const finals = (messages: WorkerMessage[]) =>
  messages.filter(({ kind }) => !['progress', 'epochs', 'checkpoint'].includes(kind));

test('a training posts each epoch, then its parameters, and ends', async () => {
  // On a busy machine even this takes more than a second, which adds progress messages and checkpoints.
  const messages = await run({ plan: { epochs: 2 } });
  const posts = messages.filter((message) => message.kind === 'epochs');
  const records = posts.flatMap(({ epochs }) => epochs.map(({ record }) => record));
  assert.deepEqual(
    records.map(({ epoch }) => epoch),
    [1, 2],
  );
  assert.ok(records[0]!.durationMs > 0 && records[0]!.evaluationMs > 0);
  const { step, steps, imagesPerSecond } = posts.at(-1)!.progress;
  assert.deepEqual([step, steps], [4, 4]);
  assert.ok(imagesPerSecond! > 0);
  assert.equal(posts[0]!.progress.step, 2, 'the first epoch is posted alone');
  const [completed, ...others] = finals(messages);
  assert.deepEqual(others, []);
  assert.ok(completed?.kind === 'completed' && messages.at(-1) === completed);
  assert.equal(completed.step, 4);
  assert.equal(completed.result.parameters.length, 4 * 785 + 10 * 5);
  assert.ok(completed.result.parameters.every(Number.isFinite));
});

test('a long training posts progress', async () => {
  const progressOf = (message: WorkerMessage) => ('progress' in message ? message.progress : undefined);
  const messages = await run({
    plan: endless,
    onMessage: (message, stop) => {
      // The first epoch is posted alone.
      if ((progressOf(message)?.epoch ?? 0) > 1) stop();
    },
  });
  const { step, steps, fraction, imagesPerSecond, etaSeconds } = messages
    .map(progressOf)
    .find((each) => each)!;
  assert.ok(step > 0 && steps === 10_000 * 75 && fraction === step / steps);
  assert.ok(imagesPerSecond! > 0 && etaSeconds! > 0);
  const [final] = finals(messages);
  assert.ok(final?.kind === 'stopped' && final.step >= step);
});

test('a thread stopped before it begins takes no step', async () => {
  const messages = await run({ plan: endless, onStart: (_, stop) => stop() });
  assert.deepEqual(messages, [{ kind: 'stopped', step: 0, isPlanned: false, checkpoint: null }]);
});

test('a non-finite loss fails immediately, with step, rate and advice', async () => {
  const messages = await run({ plan: { learningRate: 1e30, epochs: 100 } });
  const message = messages.at(-1);
  // On a busy machine a step may take longer than the interval between reports.
  assert.ok(messages.slice(0, -1).every(({ kind }) => kind === 'progress'));
  assert.ok(message?.kind === 'failed');
  assert.equal(message.error.code, 'loss-diverged');
  assert.match(
    message.error.message,
    /step \d+ \(epoch \d+\).* rate of 1e\+30.*Lower training\.optimizer\.learningRate/,
  );
});

test('a bug in the thread is reported as a crash', async () => {
  const messages = await run({ plan: { architecture: dense([3, 4, 10]) } });
  assert.equal(messages.length, 1);
  assert.ok(messages[0]?.kind === 'failed' && messages[0].error.code === 'worker-crashed');
});

test('a killed thread is reported as a crash at the last known step', async () => {
  let thread: Worker | undefined;
  const messages = await run({
    plan: { epochs: 10_000 },
    onStart: (worker) => {
      thread = worker;
    },
    onMessage: () => void thread!.terminate(),
  });
  const steps = messages.flatMap((message) => ('progress' in message ? [message.progress.step] : []));
  const [failed] = finals(messages);
  assert.ok(failed?.kind === 'failed' && failed.error.code === 'worker-crashed');
  assert.match(failed.error.message, /training thread exited with code 1/);
  assert.ok(steps.at(-1)! > 0 && failed.step === steps.at(-1));
});

test('if one of three threads of a training is lost, the others end and a crash is reported', async (t) => {
  const workers: { worker: Worker; exited: Promise<unknown> }[] = [];
  const add = (worker: Worker) => workers.push({ worker, exited: once(worker, 'exit') });
  process.on('worker', add);
  t.after(() => process.off('worker', add));
  const messages = await run({
    plan: { ...endless, architecture: dense([784, 64, 10]) },
    threads: 3,
    onMessage: () => void workers[2]!.worker.terminate(),
  });
  assert.equal(workers.length, 3, 'the one that trains, and those that help it');
  await Promise.all(workers.map(({ exited }) => exited));
  const failed = messages.at(-1);
  assert.ok(failed?.kind === 'failed' && failed.error.code === 'worker-crashed');
  assert.match(failed.error.message, /Another thread of the training job exited with code 1/);
});

test('a thread that cannot start is reported as a crash', async () => {
  const messages = await run({ thread: { entry: new URL('../threads/nowhere.worker.ts', import.meta.url) } });
  assert.equal(messages.length, 1);
  assert.ok(messages[0]?.kind === 'failed' && messages[0].error.code === 'worker-crashed');
  assert.match(messages[0].error.message, /crashed: Cannot find module/);
});

for (const [what, entry, reason] of [
  ['objects', 'hoarding', /crashed: .*memory limit/],
  ['WebAssembly', 'growing', /crashed: .*memory/i],
] as const) {
  test(`a thread that runs out of memory for ${what} is reported as a crash, and nothing else ends`, async () => {
    const messages = await run({
      thread: { entry: new URL(`../threads/${entry}.worker.ts`, import.meta.url) },
    });
    assert.equal(messages.length, 1);
    assert.ok(messages[0]?.kind === 'failed' && messages[0].error.code === 'worker-crashed');
    assert.match(messages[0].error.message, reason);
    assert.equal(finals(await run({ plan: { epochs: 1 } })).at(-1)?.kind, 'completed');
  });
}

test('a hanging thread is ended as a crash at the last known step', async () => {
  const messages = await run({
    thread: { entry: new URL('../threads/spinning.worker.ts', import.meta.url), hangsAfterMs: 1000 },
  });
  const [failed, ...rest] = finals(messages);
  assert.deepEqual(rest, []);
  assert.ok(failed?.kind === 'failed' && failed.error.code === 'worker-crashed');
  assert.match(failed.error.message, /hung: it did nothing for 1 seconds/);
});

test('a thread that ignores a stop is ended and counts as stopped', async () => {
  const messages = await run({
    thread: { entry: new URL('../threads/spinning.worker.ts', import.meta.url) },
    onMessage: (message, stop) => {
      if (message.kind === 'progress') stop();
    },
  });
  assert.deepEqual(finals(messages), [{ kind: 'stopped', step: 7, isPlanned: false, checkpoint: null }]);
});

test('if a message cannot be handled, the thread is ended and the error reported', async () => {
  await assert.rejects(
    run({
      plan: { epochs: 10_000 },
      onMessage: async () => {
        throw new Error('the disk is full');
      },
    }),
    /the disk is full/,
  );
});
