/** Finds the thread that computes, for tests of its end. */
import { setTimeout } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';

const WINDOW_MS = 200;

/** Waits until one of the threads has computed for a while without a pause; the newest one if several have. */
export async function busyThread(threads: Iterable<Worker>): Promise<Worker> {
  for (;;) {
    const before = [...threads].map((thread) => ({
      thread,
      utilization: thread.performance.eventLoopUtilization(),
    }));
    await setTimeout(WINDOW_MS);
    const busy = before.findLast(
      ({ thread, utilization }) => thread.performance.eventLoopUtilization(utilization).utilization > 0.95,
    );
    if (busy) return busy.thread;
  }
}
