/** Which job runs next, and where. */

/** Why a running job is told to stop. */
export type StopReason = 'cancel' | 'shutdown';

/**
 * Runs one job to its end and records how it ended. `signal` aborts with a StopReason. Resolves whatever becomes of
 * the job; a rejection is a defect.
 */
export type RunJob = (jobId: string, signal: AbortSignal) => Promise<void>;

export interface JobQueue {
  /** A job was queued, or a place became free: starts what can start. */
  wake(): void;
  /** Tells a running job to stop for good. Does nothing for a job that is not running here. */
  cancel(jobId: string): void;
  /** Starts nothing more, stops what runs; fulfils when every job has been put back. */
  close(): Promise<void>;
}
