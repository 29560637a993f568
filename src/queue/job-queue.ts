/** The queue of training jobs: decides which job runs next. */

/**
 * Runs one job to its end, or until `signal` aborts, and records the outcome. Resolves for every outcome, including a
 * failed job. Rejects only on a defect, or if the outcome could not be recorded before `closing` aborted.
 */
export type RunJob = (jobId: string, signal: AbortSignal, closing: AbortSignal) => Promise<void>;

export interface JobQueue {
  /** Starts the queued jobs for which a slot is free. Call it after queueing a job. */
  notify(): void;
  /** Aborts the signal of a running job; its status holds the reason. Does nothing if the job is not running here. */
  stop(jobId: string): void;
  /** Starts no further job and stops the running ones; resolves when every job has been released. */
  close(): Promise<void>;
}
