/** The queue of training jobs: decides which job runs next. */

/**
 * Runs one job to its end, or until `signal` aborts, and records the outcome. Resolves for every outcome, including a
 * failed job. Rejects only on a defect, or if the outcome could not be recorded before `closing` aborted.
 */
export type RunJob = (jobId: string, signal: AbortSignal, closing: AbortSignal) => Promise<void>;

/**
 * Reserves what a job needs besides a slot, until the disposal after its run. Returns null if the job must wait; the
 * jobs behind it wait, too, until the next `notify`.
 * @param jobId the next queued job; undefined if none is queued
 */
export type AdmitJob = (jobId: string | undefined) => Promise<Disposable | null>;

export interface JobQueue {
  /** Starts the queued jobs for which a slot is free. Call it after queueing a job or withdrawing a queued one. */
  notify(): void;
  /** Aborts the signal of a running job; its status holds the reason. Does nothing if the job is not running here. */
  stop(jobId: string): void;
  /** Starts no further job and stops the running ones; resolves when every job has been released. */
  close(): Promise<void>;
}
