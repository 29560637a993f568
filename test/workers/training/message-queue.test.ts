import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMessageQueue } from '../../../src/workers/training/message-queue.ts';
import type { WorkerMessage } from '../../../src/workers/training/messages.ts';
import { epochRecord, underway } from '../../store/fixtures.ts';

const progress = (step: number): WorkerMessage => ({ kind: 'progress', progress: { ...underway, step } });
const epoch = (n: number): WorkerMessage => ({
  kind: 'epochs',
  epochs: [{ record: epochRecord(n, null), warnings: [] }],
  progress: underway,
});

test('keeps one of many waiting progress reports, the order, and every epoch', async () => {
  const { promise: stored, resolve } = Promise.withResolvers<void>();
  const handled: WorkerMessage[] = [];
  const queue = createMessageQueue(async (message) => {
    handled.push(message);
    await stored;
  }, assert.fail);
  queue.add(progress(0));
  await Promise.resolve(); // the first report is being stored
  for (let n = 1; n <= 3; n++) {
    for (let step = 1; step <= 100_000; step++) queue.add(progress(n * 100_000 + step));
    queue.add(epoch(n));
  }
  queue.add(progress(400_001));
  resolve();
  await queue.handled();
  const told = handled.map((message) => {
    if (message.kind === 'progress') return message.progress.step;
    return message.kind === 'epochs' ? `epoch ${message.epochs[0]!.record.epoch}` : message.kind;
  });
  assert.deepEqual(told, [0, 200_000, 'epoch 1', 300_000, 'epoch 2', 400_000, 'epoch 3', 400_001]);
});

test('drops what follows a message that cannot be handled', async () => {
  const handled: string[] = [];
  let failures = 0;
  const queue = createMessageQueue(
    async ({ kind }) => {
      handled.push(kind);
      throw new Error('refused');
    },
    () => failures++,
  );
  queue.add(progress(1));
  queue.add(epoch(1));
  await assert.rejects(queue.handled(), /refused/);
  assert.deepEqual([handled, failures], [['progress'], 2]);
});
