import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upperQuantile } from '../../../src/numerics/evaluation/normal-quantile.ts';
import { wilsonInterval } from '../../../src/numerics/evaluation/wilson-interval.ts';
import { assertNear } from '../fixtures.ts';
import { readFixture } from './fixtures.ts';

test("Wilson's interval equals SciPy's, and is exactly 0 or 1 at the extremes", () => {
  for (const [successes, n, low, high] of readFixture<[number, number, number, number][]>('wilson.json')) {
    const interval = wilsonInterval(successes, n);
    assertNear([interval.low, interval.high], [low, high], 1e-12, `${successes} of ${n}`);
    assert.equal(interval.low === 0, successes === 0);
    assert.equal(interval.high === 1, successes === n);
  }
});

test("simultaneous intervals equal SciPy's at the level 1 − 0.05 / m, and quantiles its norm.isf", () => {
  type Row = readonly [successes: number, n: number, intervals: number, low: number, high: number];
  for (const [successes, n, intervals, low, high] of readFixture<Row[]>('simultaneous.json')) {
    const interval = wilsonInterval(successes, n, intervals);
    // 1 − 0.05 / m has lost digits.
    assertNear([interval.low, interval.high], [low, high], 1e-11, `${successes} of ${n}, ${intervals}`);
  }
  for (const [p, z] of readFixture<[number, number][]>('normal-quantiles.json')) {
    assertNear([upperQuantile(p)], [z], 1e-14, `${p}`);
  }
  for (const p of [0, 0.1, Number.NaN]) assert.throws(() => upperQuantile(p), RangeError);
});
