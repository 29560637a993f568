/** Collects the garbage of a finished task or start. An idle thread would keep it until it allocates again. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isOn } from './switches.ts';

/** Less is left to V8, because a collection takes milliseconds. */
const WORTHWHILE_BYTES = 32 * 2 ** 20;

/** The collection of a start stops the main thread for about 35 ms, so it waits until the thread has rested this long. */
const REST_MS = 5000;
/** A thread that responds to requests about its health is at work for a smaller fraction of the time. */
const MAX_UTILIZATION = 0.02;

let collect: (() => void) | undefined;

/** Call when the task holds nothing but its result. */
export function collectLargeGarbage(): void {
  // V8 counts typed arrays and WebAssembly memories as external.
  if (process.memoryUsage().external >= WORTHWHILE_BYTES) collectGarbage();
}

/** Call where a native library holds memory that V8 does not count, until its objects are collected. */
export function collectGarbage(): void {
  if (!isOn('collect-garbage')) return;
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}

/**
 * Call when the service is ready. Its imports leave garbage, and V8 returns the space of it only some seconds after a
 * collection, which in an idle service may never happen.
 */
export function collectGarbageOfStart(): void {
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const { utilization } = performance.eventLoopUtilization(before);
    before = performance.eventLoopUtilization();
    if (utilization > MAX_UTILIZATION) return;
    clearInterval(timer);
    collectGarbage();
  }, REST_MS).unref();
}
