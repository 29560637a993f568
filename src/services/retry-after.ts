/** When a full queue is worth another try. */
import type { Progress } from '../domain/epoch-record.ts';

/** Of a job that has not done a step yet. */
const UNKNOWN_SECONDS = 30;
export const MAX_SECONDS = 3600;

/**
 * Whole seconds, 1 to 3600, until the first of the running jobs is done: the oldest queued job then takes its place,
 * and leaves one in the queue.
 * @param running jobs that hold a place to run in
 * @param slots how many jobs run at once
 */
export function estimateRetryAfter(running: readonly { progress: Progress }[], slots: number): number {
  // One has just ended, and the queue is about to move.
  if (running.length < slots) return 1;
  const known = running.flatMap(({ progress }) => progress.etaSeconds ?? []);
  const first = known.length > 0 ? Math.min(...known) : UNKNOWN_SECONDS;
  return Math.min(Math.max(Math.ceil(first), 1), MAX_SECONDS);
}
