import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wilsonInterval } from '../../../src/numerics/evaluation/wilson-interval.ts';
import { assertNear } from '../fixtures.ts';
import { readFixture } from './fixtures.ts';

test("Wilson's interval equals SciPy's, at both ends, too", () => {
  for (const [successes, n, low, high] of readFixture<[number, number, number, number][]>('wilson.json')) {
    const interval = wilsonInterval(successes, n);
    assertNear([interval.low, interval.high], [low, high], 1e-12, `${successes} of ${n}`);
    assert.equal(interval.low === 0, successes === 0);
    assert.equal(interval.high === 1, successes === n);
  }
});
