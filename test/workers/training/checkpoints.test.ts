import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCheckpointSchedule } from '../../../src/workers/training/checkpoints.ts';
import { CONTROL, createControl, type WorkerReport } from '../../../src/workers/training/messages.ts';
import { epochRecord } from '../../store/fixtures.ts';

/** Ends epochs with a schedule, each with its validation loss. `posted` has the losses of the posted checkpoints. */
function endEpochs() {
  const control = createControl();
  const posted: unknown[] = [];
  const taken: unknown[] = [];
  const startedAt = performance.now();
  const schedule = createCheckpointSchedule(
    { control, checkpointEverySeconds: 1000 },
    (loss) => {
      taken.push(loss);
      return { step: 1, epoch: 1, loss, bytes: new Uint8Array(1) };
    },
    (report, transfer) => {
      assert.ok(report.kind === 'checkpoint' && transfer?.[0] === report.bytes);
      posted.push(report.loss);
    },
  );
  return {
    posted,
    taken,
    postPendingBest: schedule.postPendingBest,
    end(ms: number, validationLoss: number, isLast = false) {
      const { durationMs, evaluationMs, ...metrics } = epochRecord(1, validationLoss);
      const end = { kind: 'epoch', epoch: 1, step: 1, steps: 2, metrics, warnings: [], isLast } as const;
      schedule.afterEpoch(end, startedAt + ms);
      // The checkpoint is stored at once.
      Atomics.store(control, CONTROL.checkpointPending, 0);
    },
  };
}

test('the end of an epoch is a checkpoint if the one before is a second old, or if it is the last', () => {
  const { end, posted } = endEpochs();
  end(0, 5);
  assert.deepEqual(posted, []);
  end(60_000, 4);
  end(0, 3);
  end(0, 2, true);
  assert.deepEqual(posted, [4, 2]);
});

test('the best epoch is a checkpoint even if it came too soon, unless a better one follows', () => {
  const { end, posted, postPendingBest, taken } = endEpochs();
  for (const loss of [5, 3, 4, 3]) end(0, loss);
  assert.deepEqual([taken, posted], [[5, 3], []]);
  postPendingBest();
  postPendingBest();
  assert.deepEqual(posted, [3]);
  end(0, 2);
  end(60_000, 6);
  assert.deepEqual(posted, [3, 2, 6]);
});

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

test('a checkpoint is due exactly when its interval has passed', (t) => {
  t.mock.method(performance, 'now', () => 500);
  const control = createControl();
  const posted: (number | null)[] = [];
  const schedule = createCheckpointSchedule(
    { control, checkpointEverySeconds: 30 },
    (loss) => ({ step: 1, epoch: 1, loss, bytes: new Uint8Array(1) }),
    (report) => void (report.kind === 'checkpoint' && posted.push(report.loss)),
  );
  schedule.afterStep(500 + 29_999);
  assert.deepEqual([posted, control[CONTROL.checkpointPending]], [[], 0]);
  schedule.afterStep(500 + 30_000);
  assert.deepEqual([posted, control[CONTROL.checkpointPending]], [[null], 1]);
  control[CONTROL.checkpointPending] = 0;
  const { durationMs, evaluationMs, ...metrics } = epochRecord(1, 7);
  const end = { kind: 'epoch', epoch: 1, step: 1, steps: 2, metrics, warnings: [], isLast: false } as const;
  schedule.afterEpoch(end, 500 + 999);
  assert.deepEqual(posted, [null]);
  schedule.afterEpoch(end, 500 + 1000);
  assert.deepEqual(posted, [null, 7, 7], 'the best epoch was pending');
});
