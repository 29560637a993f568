import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorkTimes, MAX_RETRY_SECONDS } from '../../src/concurrency/work-times.ts';

/** A clock that the test sets, in milliseconds. */
function clocked() {
  const clock = { ms: 0 };
  const times = createWorkTimes(() => clock.ms);
  const work = (duration: number) => {
    const startedAt = times.start();
    clock.ms += duration;
    times.end(startedAt);
  };
  return { clock, times, work };
}

test('assumes short work without measurements', () => {
  assert.equal(clocked().times.secondsUntilNext(), 1);
});

test('follows the mean duration of recent work, in whole seconds of at least 1', () => {
  const { times, work } = clocked();
  work(400);
  assert.equal(times.secondsUntilNext(), 1);
  for (let i = 0; i < 30; i++) work(7_500);
  assert.equal(times.secondsUntilNext(), 8);
  for (let i = 0; i < 30; i++) work(400);
  assert.equal(times.secondsUntilNext(), 1);
  work(1e9);
  assert.equal(times.secondsUntilNext(), MAX_RETRY_SECONDS);
});

test('expects the next end sooner if more work is running', () => {
  const { times, work } = clocked();
  work(12_000);
  for (let i = 0; i < 4; i++) times.start();
  assert.equal(times.secondsUntilNext(), 3);
});

test('counts running work with its age once it takes longer than earlier work', () => {
  const { clock, times, work } = clocked();
  work(100);
  times.start();
  clock.ms += 20_000;
  assert.equal(times.secondsUntilNext(), 20);
  clock.ms += 0.5;
  assert.equal(times.secondsUntilNext(), 21);
});
