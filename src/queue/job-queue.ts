/** Which job runs next, and where. */

/**
 * Runs one job to its end, or until `signal` aborts, and records what became of it. Resolves whatever that is; a
 * rejection is a defect, or that it could not be recorded before `closing` aborted.
 */
export type RunJob = (jobId: string, signal: AbortSignal, closing: AbortSignal) => Promise<void>;

export interface JobQueue {
  /** A job was queued, or a place became free: starts what can start. */
  notify(): void;
  /** Tells a running job to stop; its status says what for. Does nothing for a job that is not running here. */
  stop(jobId: string): void;
  /** Starts nothing more, stops what runs; fulfils when every job has been put back. */
  close(): Promise<void>;
}
