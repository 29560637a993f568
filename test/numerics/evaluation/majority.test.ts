import assert from 'node:assert/strict';
import { test } from 'node:test';
import { majorityBaseline } from '../../../src/numerics/evaluation/majority.ts';

test('the threshold is two standard errors above the largest class, and that class alone with fewer than 100 images', () => {
  // √(0.5 · 0.5 / 100) = 0.05 and √(0.8 · 0.2 / 400) = 0.02.
  assert.deepEqual(majorityBaseline(Uint32Array.of(50, 50)), {
    examples: 100,
    majority: 0.5,
    threshold: 0.6,
  });
  const { threshold } = majorityBaseline(Uint32Array.of(40, 320, 40));
  assert.ok(Math.abs(threshold - 0.84) < 1e-12, `${threshold}`);
  assert.equal(majorityBaseline(Uint32Array.of(74, 25)).threshold, 74 / 99);
});
