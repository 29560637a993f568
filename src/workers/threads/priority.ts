/** Priority of computing threads, below the main thread: it accepts connections and responds. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';

/**
 * A thread of this niceness gets a quarter of a processor that the main thread also needs, and all of an idle one. Of 0, 5, 10
 * and 19, it gave predictions the shortest p99 beside a training, and 19 slowed the training by a quarter. Pauses of the
 * training between steps did not shorten the p99.
 */
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
