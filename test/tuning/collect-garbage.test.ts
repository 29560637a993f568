import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectGarbageOfStart, collectLargeGarbage } from '../../src/tuning/collect-garbage.ts';
import { switchOff } from '../../src/tuning/switches.ts';

const LARGE = 2 ** 26;

/** Bytes by which the memory of arrays has grown after one that is not referenced any more. */
function leftBehind(bytes = LARGE): number {
  const before = process.memoryUsage().arrayBuffers;
  // In a function of its own, so that no register refers to the array.
  const allocate = () => new Uint8Array(bytes).fill(1).length;
  allocate();
  collectLargeGarbage();
  return process.memoryUsage().arrayBuffers - before;
}

test('leaves small arrays to the engine, because a collection takes milliseconds', () => {
  assert.equal(leftBehind(1000), 1000);
});

test('frees large arrays that are not referenced any more, unless that is switched off', (t) => {
  assert.ok(leftBehind() < LARGE);
  t.after(() => switchOff([]));
  switchOff(['collect-garbage']);
  assert.ok(leftBehind() >= LARGE);
});

test('collects once 32 MiB are outside of the heap', (t) => {
  const read = process.memoryUsage;
  let external = 2 ** 25;
  t.mock.method(process, 'memoryUsage', () => ({ ...read(), external }));
  assert.ok(leftBehind(2 ** 20) < 2 ** 20);
  external = 2 ** 25 - 1;
  assert.equal(leftBehind(2 ** 20), 2 ** 20);
});

test('collects the garbage of a start once, after five seconds without work', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let utilization = 0.03;
  t.mock.method(performance, 'eventLoopUtilization', () => ({ idle: 0, active: 0, utilization }));
  /** Bytes of an array without references that are left after some time. */
  function leftAfter(ms: number): number {
    const before = process.memoryUsage().arrayBuffers;
    const allocate = () => new Uint8Array(2 ** 20).fill(1).length;
    allocate();
    t.mock.timers.tick(ms);
    return process.memoryUsage().arrayBuffers - before;
  }
  collectGarbageOfStart();
  assert.equal(leftAfter(5000), 2 ** 20, 'the thread is at work');
  utilization = 0.01;
  assert.equal(leftAfter(4999), 2 ** 20);
  assert.ok(leftAfter(1) < 2 ** 20);
  assert.equal(leftAfter(5000), 2 ** 20);
});
