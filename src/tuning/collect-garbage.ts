/** Collects the garbage of a finished task or start. An idle thread would keep it until it allocates again. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isOn } from './switches.ts';

/** Less is left to V8, because a collection takes milliseconds. */
const WORTHWHILE_BYTES = 32 * 2 ** 20;

/** A collection stops the main thread for about 35 ms. One that can wait does so until the thread has rested this long. */
const REST_MS = 5000;
/** A thread that responds to requests about its health is at work for a smaller fraction of the time. */
const MAX_UTILIZATION = 0.02;

let collect: (() => void) | undefined;
/** Shared memory that caches of this thread have dropped since its last collection. */
let droppedBytes = 0;
let waitsForRest = false;

/**
 * Call when the task holds nothing but its result.
 * @param sharedBytes the shared memory that the task has used
 */
export function collectLargeGarbage(sharedBytes = 0): void {
  // V8 counts typed arrays and WebAssembly memories as external, but not shared memory.
  if (process.memoryUsage().external + sharedBytes >= WORTHWHILE_BYTES) collectGarbage();
}

/**
 * Call when a cache drops shared memory. V8 does not count it, so its next collection may be gigabytes later. It is collected in
 * the next turn of the event loop, when the caller does not refer to it any more either, and once more at rest, when requests
 * that were using it have ended.
 */
export function dropShared(bytes: number): void {
  const before = droppedBytes;
  droppedBytes += bytes;
  if (before < WORTHWHILE_BYTES && droppedBytes >= WORTHWHILE_BYTES) setImmediate(collectGarbage);
  collectGarbageAtRest();
}

/** Call where a native library holds memory that V8 does not count, until its objects are collected. */
export function collectGarbage(): void {
  droppedBytes = 0;
  if (!isOn('collect-garbage')) return;
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}

/**
 * Also call it when the service is ready. Its imports leave garbage, and V8 returns the space of it only some seconds after a
 * collection, which in an idle service may never happen.
 */
export function collectGarbageAtRest(): void {
  if (waitsForRest) return;
  waitsForRest = true;
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const { utilization } = performance.eventLoopUtilization(before);
    before = performance.eventLoopUtilization();
    if (utilization > MAX_UTILIZATION) return;
    clearInterval(timer);
    waitsForRest = false;
    collectGarbage();
  }, REST_MS).unref();
}
