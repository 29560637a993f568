/** Priority of computing threads, below that of the main thread, which accepts connections and sends responses. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';

/** A thread of this niceness gets a quarter of a processor that the main thread also needs, and all of an idle one. */
export const COMPUTING_NICENESS = 5;

/** Linux has a priority per thread; other systems keep the one of the process. Call in the thread. */
export function lowerPriority(): void {
  try {
    const id = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(id, COMPUTING_NICENESS);
  } catch {
    // Without /proc there are no thread ids.
  }
}
