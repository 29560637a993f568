import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeIntervals } from '../../../src/domain/models/test-set.ts';

const rounded = ({ low, high }: { readonly low: number; readonly high: number }) =>
  [low, high].map((end) => end.toFixed(6));

test('the interval of the best of several looks is that of a higher level', () => {
  const { interval, intervalOfBest } = describeIntervals(0.9, 100, 5);
  assert.ok(interval && intervalOfBest);
  // scipy.stats.binomtest(90, 100).proportion_ci(level, 'wilson') with the levels 0.95 and 0.99.
  assert.deepEqual(rounded(interval), ['0.825634', '0.944771']);
  assert.deepEqual(rounded(intervalOfBest), ['0.796249', '0.953974']);
  const { low, high, ...rest } = intervalOfBest;
  assert.deepEqual(rest, { method: 'wilson-score-bonferroni', level: 0.95, looks: 5 });
  assert.deepEqual([interval.method, interval.level], ['wilson-score', 0.95]);
});

test('without a look, the accuracy is one of one, and images are counted whole', () => {
  const { interval, intervalOfBest } = describeIntervals(0.8999, 100, 0);
  assert.deepEqual([intervalOfBest!.looks, rounded(intervalOfBest!)], [1, rounded(interval!)]);
  assert.deepEqual(rounded(interval!), ['0.825634', '0.944771']);
});
