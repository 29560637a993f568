/** Estimates the `Retry-After` header for a full queue. */
import type { Progress } from '../../domain/jobs/epoch-record.ts';

/** Assumed remaining time of a job before its first step. */
const UNKNOWN_SECONDS = 30;
export const MAX_SECONDS = 3600;

/**
 * Whole seconds, 1 to 3600, until the first running job ends and the next queued job takes its slot.
 * @param running jobs that occupy a slot
 * @param slots number of jobs that run at once
 */
export function estimateRetryAfter(running: readonly { progress: Progress }[], slots: number): number {
  // A slot is free, so the queue is about to advance.
  if (running.length < slots) return 1;
  const known = running.flatMap(({ progress }) => progress.etaSeconds ?? []);
  const first = known.length > 0 ? Math.min(...known) : UNKNOWN_SECONDS;
  return Math.min(Math.max(Math.ceil(first), 1), MAX_SECONDS);
}
