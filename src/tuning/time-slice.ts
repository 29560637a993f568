/** The time slice of the main thread: decides how soon it gets a processor. */
import { execFile } from 'node:child_process';
import { isOn } from './switches.ts';

/**
 * In ns. Long enough for a prediction of one image, whose turn would otherwise end before it, and far below the 2.8 ms that Linux
 * gives each thread on two processors.
 */
export const SLICE_NS = 400_000;

/**
 * Lets the main thread interrupt other threads at once: those that compute or compile, and other processes. Since version
 * 6.12, Linux lets a thread that wakes up interrupt another one only if its own slice is shorter, whatever their niceness. Node
 * cannot set it, but `chrt` of util-linux 2.41 can. Elsewhere nothing changes. Threads that start later keep the slice of the
 * system.
 * @returns whether the slice was set
 */
export async function shortenTimeSlice(): Promise<boolean> {
  if (!isOn('time-slice')) return false;
  const slice = ['--other', '--reset-on-fork', '--sched-runtime', String(SLICE_NS)];
  return new Promise((resolve) => {
    execFile('chrt', [...slice, '--pid', '0', String(process.pid)], (error) => resolve(error === null));
  });
}
