import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pruneCheckpoints } from '../../../src/store/checkpoints/prune.ts';
import type { CheckpointRow } from '../../../src/store/database/tables.ts';
import { openStateDirectory } from '../../../src/store/transfer/state-directory.ts';
import { temporaryDirectory } from '../fixtures.ts';

/** A checkpoint whose digest is its step. */
const row = (step: number, loss: number | null): CheckpointRow =>
  ({ job_id: 'job_1', step, epoch: step, loss, digest: `${step}`, bytes: 1 }) as unknown as CheckpointRow;

test('the last three checkpoints and the first best one stay, whatever the order of the rows', async (t) => {
  const { db, close } = await openStateDirectory(await temporaryDirectory(t), false);
  t.after(close);
  const prune = (losses: readonly (number | null)[], order: readonly number[]) =>
    db.transaction().execute((trx) =>
      pruneCheckpoints(
        trx,
        order.map((step) => row(step, losses[step - 1]!)),
      ),
    );
  const losses = [0.5, 0.2, 0.2, 0.4, null, 0.9, 0.8];
  assert.deepEqual(await prune(losses, [1, 2, 3, 4, 5, 6, 7]), ['1', '3', '4']);
  assert.deepEqual(await prune(losses, [7, 3, 1, 2, 6, 4, 5]), ['1', '3', '4']);
  assert.deepEqual(await prune([null, null, null, null], [2, 1, 4, 3]), ['1'], 'none was measured');
  assert.deepEqual(await prune([0.9, 0.8, 0.7], [3, 2, 1]), []);
  assert.deepEqual(await prune([0.9, 0.8, 0.7, 0.6], [3, 2, 1, 4]), ['1'], 'the best is among the last');
});
