/** The queue of training jobs: decides which job runs next. */

/**
 * Runs one job to its end, or until `signal` aborts, and records the outcome. Resolves for every outcome, including a
 * failed job. Rejects only on a defect, or if the outcome could not be recorded before `closing` aborted.
 */
export type RunJob = (jobId: string, signal: AbortSignal, closing: AbortSignal) => Promise<void>;

/** Reason of a run's signal if the job is stopped in favour of one of higher priority. */
export class Preemption {
  readonly by: string;

  /** @param by id of the job that gets the slot or the memory */
  constructor(by: string) {
    this.by = by;
  }
}

/** The resources of a job besides its slot, until the disposal after its run. */
export interface Admission extends Disposable {
  /** Reserved memory */
  readonly bytes: number;
}

/** For jobs that need only a slot. */
export const NOTHING: Admission = { bytes: 0, [Symbol.dispose]() {} };

/**
 * Reserves what a job needs besides a slot. Returns null if the job must wait; the jobs behind it wait, too, until the
 * next `notify`.
 * @param jobId the next queued job; undefined if none is queued
 */
export type AdmitJob = (jobId: string | undefined) => Promise<Admission | null>;

export interface RunningJob {
  readonly id: string;
  /** Memory that the job has reserved */
  readonly bytes: number;
}

/**
 * Chooses the running job that is stopped so that a queued job can start, and records the choice, so that no other
 * process stops another one for the same job.
 * @param waiting id of the next queued job
 * @param running the jobs of this process, of which none is stopping
 * @param lacking what the queued job lacks in this process
 * @returns undefined if no job has a lower priority, or if stopping one would not help
 */
export type PreemptJob = (
  waiting: string,
  running: readonly RunningJob[],
  lacking: 'slot' | 'memory',
) => Promise<string | undefined>;

export interface JobQueue {
  /** Until it is called, the queue does nothing. */
  start(): void;
  /** Starts the queued jobs for which a slot is free. Call it after queueing a job or withdrawing a queued one. */
  notify(): void;
  /** Aborts the signal of a running job; its status holds the reason. Does nothing if the job is not running here. */
  stop(jobId: string): void;
  /** Starts no further job and stops the running ones; resolves when every job has been released. */
  close(): Promise<void>;
}

/** The queue of a process that runs no jobs. */
export const IDLE: JobQueue = { start() {}, notify() {}, stop() {}, async close() {} };
