import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import type { TrainingPlan } from '../../../src/numerics/training/plan.ts';
import {
  CONTROL,
  createControl,
  type TrainingTask,
  type WorkerMessage,
} from '../../../src/workers/training/messages.ts';
import { train as trainInThread } from '../../../src/workers/training/train.ts';
import { planOf } from '../../numerics/fixtures.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { dense } from '../../support/dense.ts';

const { train, test: tested } = await loadFashionMnist(DATA_DIR);

function taskOf(changes: Partial<TrainingTask> = {}): TrainingTask {
  return {
    plan: planOf(dense([784, 4, 10]), { batchSize: 256, epochs: 2, holdout: { fraction: 0.98 } }),
    threads: 1,
    checkGradient: false,
    budgetSeconds: null,
    checkpointEverySeconds: 86_400,
    stopAfterEpoch: null,
    checkpoint: null,
    train,
    test: tested,
    testOnce: false,
    control: createControl(),
    ...changes,
  };
}

const epochsIn = (messages: WorkerMessage[]) =>
  messages.flatMap((message) =>
    message.kind === 'epochs' ? message.epochs.map(({ record }) => record.epoch) : [],
  );

/** Trains on this thread; `onMessage` may stop it. */
async function run(task: TrainingTask, onMessage: (message: WorkerMessage) => void = () => {}) {
  const messages: WorkerMessage[] = [];
  const final = await trainInThread(
    task,
    (report) => {
      messages.push(report);
      onMessage(report);
    },
    () => assert.fail('a run on one thread shares nothing'),
  );
  return [...messages, final];
}

function completedIn(messages: WorkerMessage[]) {
  const last = messages.at(-1);
  assert.ok(last?.kind === 'completed', JSON.stringify(last));
  return last.result;
}

const requestStop = ({ control }: TrainingTask) => void Atomics.store(control, CONTROL.stop, 1);

test('checks the gradient once, before the first epoch', async () => {
  const messages = await run(taskOf({ checkGradient: true }));
  assert.deepEqual(epochsIn(messages), [1, 2]);
  const kinds = messages.map(({ kind }) => kind);
  assert.equal(kinds[0], 'gradient-check');
  assert.deepEqual(
    [...new Set(kinds)].filter((kind) => kind !== 'progress' && kind !== 'checkpoint'),
    ['gradient-check', 'epochs', 'completed'],
  );
});

test('the gradient check does not change the parameters', async () => {
  const checked = completedIn(await run(taskOf({ checkGradient: true })));
  const unchecked = completedIn(await run(taskOf()));
  assert.deepEqual(checked.parameters, unchecked.parameters);
});

test('the durations of epochs are at most the time of the session', async () => {
  const startedAt = performance.now();
  const messages = await run(taskOf());
  const passedMs = performance.now() - startedAt;
  const records = messages.flatMap((message) =>
    message.kind === 'epochs' ? message.epochs.map(({ record }) => record) : [],
  );
  assert.equal(records.length, 2);
  for (const { durationMs, evaluationMs } of records) assert.ok(durationMs > 0 && evaluationMs > 0);
  const measuredMs = records.reduce((sum, record) => sum + record.durationMs + record.evaluationMs, 0);
  assert.ok(measuredMs <= passedMs, `${measuredMs} of ${passedMs} ms`);
});

test('a run stopped between steps continues from its checkpoint to the same parameters', async () => {
  const task = taskOf();
  const messages = await run(task, ({ kind }) => {
    if (kind === 'epochs') requestStop(task);
  });
  const [reported, stopped] = messages.slice(-2);
  assert.ok(stopped?.kind === 'stopped' && stopped.checkpoint);
  assert.equal(stopped.step, 5);
  assert.ok(reported?.kind === 'progress');
  assert.deepEqual([reported.progress.step, reported.progress.fraction], [5, 0.5]);
  const continued = completedIn(await run(taskOf({ checkpoint: stopped.checkpoint.bytes })));
  assert.deepEqual(continued.parameters, completedIn(await run(taskOf())).parameters);
});

test('a run stopped between the last step of an epoch and its evaluation continues', async () => {
  const changes = {
    plan: planOf(dense([784, 4, 10]), { batchSize: 900, epochs: 3, holdout: { fraction: 0.985 } }),
    checkpointEverySeconds: 0,
  };
  const task = taskOf(changes);
  // With one step per epoch, the checkpoint after a step is one before the evaluation.
  const before = await run(task, (message) => {
    if (message.kind !== 'checkpoint') return;
    Atomics.store(task.control, CONTROL.checkpointPending, 0);
    if (message.step === 2) requestStop(task);
  });
  const stopped = before.at(-1);
  assert.ok(stopped?.kind === 'stopped' && stopped.checkpoint);
  assert.equal(stopped.step, 2);
  const messages = await run(taskOf({ ...changes, checkpoint: stopped.checkpoint.bytes }));
  const [evaluated] = messages.filter(({ kind }) => kind === 'epochs');
  assert.ok(evaluated?.kind === 'epochs');
  const { epoch, step, steps, fraction } = evaluated.progress;
  assert.deepEqual({ epoch, step, steps, fraction }, { epoch: 2, step: 2, steps: 3, fraction: 2 / 3 });
  assert.deepEqual(completedIn(messages).parameters, completedIn(await run(taskOf(changes))).parameters);
});

test('a run that is stopped before or during the gradient check takes no step', async () => {
  const task = taskOf({ checkGradient: true });
  requestStop(task);
  assert.deepEqual(await run(task), [{ kind: 'stopped', step: 0, isPlanned: false, checkpoint: null }]);
});

test('a damaged checkpoint and a diverging loss end a run as failed', async () => {
  const [damaged] = await run(taskOf({ checkpoint: new Uint8Array(100) }));
  assert.ok(damaged?.kind === 'failed' && damaged.error.code === 'checkpoint-damaged');
  const plan = planOf(dense([784, 4, 10]), {
    batchSize: 256,
    learningRate: 1e30,
    holdout: { fraction: 0.98 },
  });
  const diverged = (await run(taskOf({ plan }))).at(-1);
  assert.ok(diverged?.kind === 'failed' && diverged.error.code === 'loss-diverged');
});

test('stops after the planned epoch, even if it was interrupted there, and continues bit for bit', async () => {
  const plan = planOf(dense([784, 4, 10]), { batchSize: 256, epochs: 3, holdout: { fraction: 0.98 } });
  const first = await run(taskOf({ plan, stopAfterEpoch: 1 }));
  const stopped = first.at(-1)!;
  assert.ok(stopped.kind === 'stopped' && stopped.isPlanned && stopped.checkpoint !== null);
  assert.deepEqual(epochsIn(first), [1]);
  const checkpoint = stopped.checkpoint.bytes;

  const again = await run(taskOf({ plan, stopAfterEpoch: 1, checkpoint }));
  assert.deepEqual(again, [{ kind: 'stopped', step: stopped.step, isPlanned: true, checkpoint: null }]);

  const resumed = completedIn(await run(taskOf({ plan, stopAfterEpoch: 3, checkpoint })));
  const whole = completedIn(await run(taskOf({ plan })));
  assert.deepEqual(resumed.parameters, whole.parameters);
});

/** A task whose epochs take a few milliseconds. */
const quick = (changes: Partial<TrainingPlan>) =>
  taskOf({
    plan: planOf(dense([784, 4, 10]), { batchSize: 32, ...changes }),
    train: { pixels: train.pixels.subarray(0, 64 * 784), labels: train.labels.subarray(0, 64) },
    testOnce: true,
  });

test('posts short epochs together, before any later message', async () => {
  const messages = await run(quick({ epochs: 250 }));
  assert.deepEqual(
    epochsIn(messages),
    Array.from({ length: 250 }, (_, n) => n + 1),
  );
  const posts = messages.filter((message) => message.kind === 'epochs');
  assert.ok(posts.length < 125, `${posts.length} posts`);
  for (const { epochs, progress } of posts) {
    assert.ok(epochs.length <= 100);
    assert.equal(progress.epoch, epochs.at(-1)!.record.epoch);
  }
  assert.equal(messages.at(-1)?.kind, 'completed');
});

test('a training that diverges posts the epochs before', async () => {
  // Each step multiplies the weights by 1 − 0.1 · 1000.
  const optimizer = { type: 'sgd', momentum: 0, nesterov: false, weightDecay: 1000 } as const;
  const messages = await run(quick({ epochs: 50, optimizer }));
  const failed = messages.at(-1);
  assert.ok(failed?.kind === 'failed' && failed.error.code === 'loss-diverged');
  assert.ok(failed.step >= 6, `step ${failed.step}`);
  const epochs = epochsIn(messages);
  // Two steps each
  assert.equal(epochs.length, Math.floor((failed.step - 1) / 2));
  assert.equal(epochs.at(-1), epochs.length);
});

test('a training whose budget is spent at any time keeps a checkpoint of its last step', async (context) => {
  let time = 0;
  // Each look at the clock takes a millisecond.
  context.mock.method(performance, 'now', () => ++time);
  const plan = planOf(dense([784, 4, 10]), { batchSize: 100, epochs: 2, holdout: { fraction: 0.5 } });
  const few = { pixels: train.pixels.subarray(0, 400 * 784), labels: train.labels.subarray(0, 400) };
  const ends: string[] = [];
  for (let milliseconds = 1; ends.at(-1) !== 'completed'; milliseconds++) {
    const messages = await run(taskOf({ plan, train: few, test: null, budgetSeconds: milliseconds / 1000 }));
    const { step, reason } = completedIn(messages).stoppedAt;
    const checkpoint = messages.findLast(({ kind }) => kind === 'checkpoint');
    assert.equal(checkpoint?.kind === 'checkpoint' && checkpoint.step, step);
    ends.push(reason);
  }
  assert.ok(ends.includes('budget'));
});

test('a thread that stops does not post the same progress twice', async () => {
  const plan = planOf(dense([784, 4, 10]), { batchSize: 256, epochs: 1000, holdout: { fraction: 0.98 } });
  const task = taskOf({ plan });
  let epochs = 0;
  const messages = await run(task, (message) => {
    if (message.kind === 'epochs' && ++epochs === 2) requestStop(task);
  });
  // A single epoch is stored without an event of progress, so the progress of its step may follow.
  const events = messages.filter((message) => message.kind !== 'epochs' || message.epochs.length > 1);
  const progress = events.flatMap((message) => ('progress' in message ? [message.progress.step] : []));
  assert.equal(new Set(progress).size, progress.length);
  assert.equal(messages.at(-1)?.kind, 'stopped');
});
