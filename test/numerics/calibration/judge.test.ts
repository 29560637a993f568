import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addJudgements,
  judgementRows,
  judgeSets,
  tallyJudgements,
} from '../../../src/numerics/calibration/judge.ts';

const PROBABILITIES = Float32Array.of(0.75, 0.25, 0, 0.5, 0.5, 0, 0.4, 0.3, 0.3, 0, 0, 1);
const judged = judgeSets(0.5, PROBABILITIES, [false, false, false, true]);

test('a set has the classes of at least the least probability, and one of one class is sure', () => {
  assert.deepEqual(judged.sets, Uint8Array.of(1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1));
  assert.deepEqual(judged.reasons, [null, 'several-classes', 'no-class', 'unlike-training-images']);
});

test('rows have the set, and the number of the reason', () => {
  const rows = judgementRows({ ...judged, expectedUnsure: 0 }, 3);
  assert.deepEqual(rows, Uint8Array.of(1, 0, 0, 0, 1, 1, 0, 3, 0, 0, 0, 2, 0, 0, 1, 1));
});

test('judgements are counted, and counts added', () => {
  const tally = tallyJudgements({ ...judged, expectedUnsure: 0.25 });
  const counts = { sure: 1, 'unlike-training-images': 1, 'no-class': 1, 'several-classes': 1 };
  assert.deepEqual(tally, { counts, expectedUnsure: 1 });
  const other = tallyJudgements({ reasons: [null, null, 'no-class'], expectedUnsure: 0.5 });
  assert.deepEqual(addJudgements(tally, other), {
    counts: { sure: 3, 'unlike-training-images': 1, 'no-class': 2, 'several-classes': 1 },
    expectedUnsure: 2.5,
  });
});
