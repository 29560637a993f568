/** The queue of training jobs: decides which job runs next. */

/**
 * Runs one job to its end, or until `signal` aborts, and records what became of it. Resolves whatever that is; a
 * rejection is a defect, or that it could not be recorded before `closing` aborted.
 */
export type RunJob = (jobId: string, signal: AbortSignal, closing: AbortSignal) => Promise<void>;

export interface JobQueue {
  /** Call when a job was queued or a slot became free: starts the jobs that can start. */
  notify(): void;
  /** Asks a running job to stop; its status says why. Does nothing if the job is not running here. */
  stop(jobId: string): void;
  /** Starts no further job and stops the running ones; resolves when every job has been released. */
  close(): Promise<void>;
}
