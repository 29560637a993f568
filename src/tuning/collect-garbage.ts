/** Collects the garbage of a finished task. An idle thread would keep it until it allocates again. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isOn } from './switches.ts';

/** Less is left to V8, because a collection takes milliseconds. */
const WORTHWHILE_BYTES = 32 * 2 ** 20;

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
