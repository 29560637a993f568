/** Threads that are kept for the next trial of a search. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import { trainingThreadBytes } from '../../../src/numerics/training/memory.ts';
import type { TrainingPlan } from '../../../src/numerics/training/plan.ts';
import { createTrainingThreads } from '../../../src/workers/training/kept-threads.ts';
import type { TrainingTask, WorkerMessage } from '../../../src/workers/training/messages.ts';
import { startTrainingThread, type TrainingThread } from '../../../src/workers/training/thread.ts';
import { planOf } from '../../numerics/fixtures.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { dense } from '../../support/dense.ts';

const { train, test: tested } = await loadFashionMnist(DATA_DIR);

function taskOf(changes: Partial<TrainingPlan> = {}, threads = 1): Omit<TrainingTask, 'control'> {
  return {
    plan: planOf(dense([784, 4, 10]), { batchSize: 1024, holdout: { fraction: 0.98 }, ...changes }),
    threads,
    checkGradient: false,
    budgetSeconds: null,
    checkpointEverySeconds: 86_400,
    stopAfterEpoch: null,
    checkpoint: null,
    train,
    test: tested,
    testOnce: true,
  };
}

/** Threads that are closed after the test; `started` lists them in the order of their start. */
function open(t: TestContext, idleMs?: number) {
  const started: TrainingThread[] = [];
  const threads = createTrainingThreads({
    ...(idleMs !== undefined && { idleMs }),
    start(count) {
      const thread = startTrainingThread(count);
      started.push(thread);
      return thread;
    },
  });
  t.after(threads.close);

  /** Runs a task to its end and returns its final message. */
  async function run(task: Omit<TrainingTask, 'control'>): Promise<WorkerMessage> {
    const messages: WorkerMessage[] = [];
    const { ended } = threads.run(task, async (message) => void messages.push(message));
    await ended;
    return messages.at(-1)!;
  }
  return { threads, started, run };
}

function parametersOf(message: WorkerMessage): Float32Array {
  assert.ok(message.kind === 'completed', JSON.stringify(message));
  return message.result.parameters;
}

test('a kept thread trains the next job to the same bits as a thread of its own', async (t) => {
  const { threads, started, run } = open(t);
  const diverged = await run(taskOf({ learningRate: 1e30, architecture: dense([784, 9, 10]) }));
  assert.ok(diverged.kind === 'failed' && diverged.error.code === 'loss-diverged');
  assert.equal(threads.bytes(), trainingThreadBytes(1));
  const kept = parametersOf(await run(taskOf()));
  assert.equal(started.length, 1);
  await threads.close();
  assert.deepEqual(parametersOf(await run(taskOf())), kept);
  assert.equal(started.length, 2);
});

test('the crash of a job does not affect the next one, because its thread is replaced', async (t) => {
  const { threads, started, run } = open(t);
  await run(taskOf());
  const crashed = await run(taskOf({ architecture: dense([3, 4, 10]) }));
  assert.ok(crashed.kind === 'failed' && crashed.error.code === 'worker-crashed');
  assert.equal(threads.bytes(), 0);
  await started[0]!.exited;
  parametersOf(await run(taskOf()));
  assert.equal(started.length, 2);
});

test('a thread is kept only for jobs with as many threads, until its memory is needed', async (t) => {
  const { threads, started, run } = open(t);
  const pair = parametersOf(await run(taskOf({}, 2)));
  assert.equal(threads.bytes(), trainingThreadBytes(2));
  assert.deepEqual(parametersOf(await run(taskOf({}, 2))), pair);
  assert.equal(started.length, 1);
  parametersOf(await run(taskOf()));
  assert.equal(started.length, 2);
  assert.equal(threads.bytes(), trainingThreadBytes(1));
  threads.evict(1);
  assert.equal(threads.bytes(), 0);
  await Promise.all(started.map(({ exited }) => exited));
});

test('a thread that gets no other job ends', async (t) => {
  const { threads, started, run } = open(t, 0);
  await run(taskOf());
  await started[0]!.exited;
  assert.equal(threads.bytes(), 0);
});
