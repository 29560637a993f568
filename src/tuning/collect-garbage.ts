/** Collects the garbage of a finished task or start. An idle thread would keep it until it allocates again. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isOn } from './switches.ts';

/** Less is left to V8, because a collection takes milliseconds. */
const WORTHWHILE_BYTES = 32 * 2 ** 20;

/** The collection stops the main thread for about 35 ms: the first requests after a start come before it. */
const AFTER_START_MS = 5000;

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
  setTimeout(collectGarbage, AFTER_START_MS).unref();
}
