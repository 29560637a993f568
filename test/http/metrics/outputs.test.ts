import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addJudged, addTally, countsByClass, emptyTotals } from '../../../src/http/metrics/outputs.ts';

const judged = (sure: number, expectedUnsure: number) => ({
  counts: { sure, 'unlike-training-images': 1, 'no-class': 0, 'several-classes': 0 },
  expectedUnsure,
});
const tally = (classes: number[], probabilitySum: number, first: number) => ({
  ...{ classes, probabilitySum, diagnosed: null, judged: null },
  buckets: [first, 0, 0, 0, 0, 0, 0, 0, 1],
});

test('classes beyond the limit of series share one, which comes last once it has images', () => {
  const totals = emptyTotals(2);
  assert.deepEqual(countsByClass(totals), [
    ['0', 0],
    ['1', 0],
  ]);
  addTally(totals, tally([3, 1, 0, 4], 2.5, 5));
  addTally(totals, tally([1, 0, 2, 0], 0.25, 1));
  assert.deepEqual(countsByClass(totals), [
    ['0', 4],
    ['1', 1],
    ['_further', 6],
  ]);
  assert.deepEqual(totals.buckets, [6, 0, 0, 0, 0, 0, 0, 0, 2]);
  assert.deepEqual([totals.probabilitySum, totals.judged], [2.75, null]);
});

test('judgements add up from the first one', () => {
  const totals = emptyTotals(1);
  addTally(totals, { ...tally([1], 1, 0), judged: judged(2, 0.5) });
  addJudged(totals, judged(3, 0.25));
  assert.deepEqual(totals.judged, {
    counts: { sure: 5, 'unlike-training-images': 2, 'no-class': 0, 'several-classes': 0 },
    expectedUnsure: 0.75,
  });
});
