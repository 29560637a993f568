import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimateRetryAfter } from '../../../src/services/queueing/retry-after.ts';

const running = (...etas: (number | null)[]) =>
  etas.map((etaSeconds) => ({
    progress: { epoch: 1, epochs: 2, step: 1, steps: 9, fraction: 1 / 9, imagesPerSecond: 1, etaSeconds },
  }));

test('a queue position is free when the first running job ends', () => {
  assert.equal(estimateRetryAfter(running(90.2, 12.1, 400), 3), 13);
  assert.equal(estimateRetryAfter(running(90, null), 2), 90, 'one that has no estimate yet does not count');
});

test('Retry-After is a whole number from 1 to 3600', () => {
  assert.equal(estimateRetryAfter(running(0.01), 1), 1);
  assert.equal(estimateRetryAfter(running(0), 1), 1);
  assert.equal(estimateRetryAfter(running(1e9), 1), 3600);
});

test('estimates half a minute without running estimates, and a second with a free slot', () => {
  assert.equal(estimateRetryAfter(running(null), 1), 30);
  assert.equal(estimateRetryAfter(running(500), 2), 1);
});
