import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { typicalMs } from '../../../src/workers/kernel/typical-duration.ts';

function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test('the typical duration of a call does not count an interruption', () => {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  let calls = 0;
  const typical = typicalMs(() => {
    // Takes no time of the processor, like other work that interrupts the call.
    if (calls++ === 0) Atomics.wait(cell, 0, 0, 150);
    work(0.5);
  }, 8);
  assert.ok(typical >= 0.5 && typical < 5, String(typical));
});

test('few long calls suffice', () => {
  let calls = 0;
  const typical = typicalMs(() => {
    calls++;
    work(30);
  }, 8);
  assert.ok(typical > 5, String(typical));
  assert.ok(calls <= 3, String(calls));
});

/** Each call takes so many milliseconds, of which the processor works on it for some. */
function typicalOf(t: TestContext, ms: number, cpuMs: number): number {
  let [now, cpu] = [0, 0];
  t.mock.method(performance, 'now', () => now);
  t.mock.method(process, 'threadCpuUsage', () => ({ user: 600 * cpu, system: 400 * cpu }));
  const typical = typicalMs(() => {
    now += ms;
    cpu += cpuMs;
  }, 8);
  // A second mock would otherwise keep the first one.
  t.mock.restoreAll();
  return typical;
}

test('the typical duration is the lower quartile, and at most the mean time of the processor with a tick', (t) => {
  assert.equal(typicalOf(t, 2, 2), 2);
  // Three calls take 15 ms of the processor.
  assert.equal(typicalOf(t, 40, 5), (15 + 10) / 3);
});

test('enough calls suffice after ten times the time of the processor, although it has worked little', (t) => {
  // Eight calls end at 80 ms, and take 4 ms of the processor.
  assert.equal(typicalOf(t, 10, 0.5), (4 + 10) / 8);
});

test('too few calls suffice after three times the time of the processor', (t) => {
  assert.equal(typicalOf(t, 40, 24), 24 + 10);
  assert.equal(typicalOf(t, 40, 23), (2 * 23 + 10) / 2);
});
