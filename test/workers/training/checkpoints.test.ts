import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCheckpointSchedule } from '../../../src/workers/training/checkpoints.ts';
import { CONTROL, createControl, type WorkerReport } from '../../../src/workers/training/messages.ts';

test('a checkpoint between epochs is posted once its interval has passed and the one before is stored', () => {
  const control = createControl();
  const posted: WorkerReport[] = [];
  const take = (loss: number | null) => ({ step: 1, epoch: 1, loss, bytes: new Uint8Array(1) });
  const startedAt = performance.now();
  const task = { control, checkpointEverySeconds: 1000 };
  const { afterStep } = createCheckpointSchedule(task, take, (report) => void posted.push(report));
  afterStep(startedAt + 999_000);
  assert.equal(posted.length, 0);
  afterStep(startedAt + 2_000_000);
  assert.equal(posted.length, 1);
  afterStep(startedAt + 4_000_000);
  assert.equal(posted.length, 1, 'the first one is not stored yet');
  Atomics.store(control, CONTROL.checkpointPending, 0);
  afterStep(startedAt + 4_000_000);
  assert.equal(posted.length, 2);
});
