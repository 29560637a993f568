/** The queue of the jobs of one kind: decides which job runs next in this process. The database holds the queued jobs. */
import { setTimeout as wait } from 'node:timers/promises';
import { type Admission, createLocalRuns, NOTHING, type PreemptJob } from './local-runs.ts';
import { createPasses } from './passes.ts';

/**
 * Runs one job to its end, or until `signal` aborts, and records the outcome. Resolves for every outcome, including a
 * failed job. Rejects only on a defect, or if the outcome could not be recorded before `closing` aborted.
 */
export type RunJob = (jobId: string, signal: AbortSignal, closing: AbortSignal) => Promise<void>;

/**
 * Reserves what a job needs besides a slot. Returns null if the job must wait; the jobs behind it are waiting as well, until
 * the next `notify`.
 */
export type AdmitJob = (jobId: string) => Promise<Admission | null>;

/** A claim of a queued job, ended by the start of the job: no other process claims the job. */
export interface Claim {
  /** Lets all processes claim the job. Does nothing once it has started. */
  putBack(): Promise<void>;
}

/**
 * Claims the first queued job.
 * @param skipped ids of jobs before it that this process leaves alone
 * @returns undefined if another process has claimed it
 */
export type ClaimJob = (jobId: string, skipped: readonly string[]) => Promise<Claim | undefined>;

export type JobQueue = ReturnType<typeof createJobQueue>;

export interface JobQueueOptions<Job extends { readonly id: string }> {
  /** Returns the first queued job, or the next one after another. */
  readonly next: (after?: Job) => Promise<Job | undefined>;
  /** By default the start of a job is its claim: only one start succeeds. */
  readonly claim?: ClaimJob | undefined;
  /** Whether a job is left to other processes; by default none is. */
  readonly isLeft?: ((job: Job) => Promise<boolean>) | undefined;
  /** By default a job needs only a slot. */
  readonly admit?: AdmitJob;
  /** Called when no queued job is waiting for this process. */
  readonly onEmpty?: () => void;
  /** By default no job stops for another one. */
  readonly preempt?: PreemptJob;
  readonly runJob: RunJob;
  /** Number of jobs that run at once in this process. */
  readonly slots: number;
  /** Called if a run rejects, or with `none` as the job if the queue cannot be read. */
  readonly onDefect: (jobId: string, error: unknown) => void;
}

const RETRY_AFTER_DEFECT_MS = 1000;
const START_IS_CLAIM: ClaimJob = async () => ({ async putBack() {} });

export function createJobQueue<Job extends { readonly id: string }>(options: JobQueueOptions<Job>) {
  const { next, claim = START_IS_CLAIM, isLeft = async () => false, admit = async () => NOTHING } = options;
  const { onEmpty = () => {}, preempt = async () => undefined, runJob, slots, onDefect } = options;
  const runs = createLocalRuns(preempt);
  const closing = new AbortController();

  /** Starts jobs in their order. A job is admitted before it is claimed, so that other processes can run one that must wait. */
  const { request, close } = createPasses(
    async () => {
      const skipped: string[] = [];
      let after: Job | undefined;
      while (slots > 0 && !closing.signal.aborted) {
        const job = await next(after);
        if (job === undefined) return onEmpty();
        if (!runs.has(job.id) && !(await isLeft(job))) {
          const hasSlot = runs.count() < slots;
          const admission = hasSlot ? await admit(job.id) : null;
          if (admission === null) return runs.preemptFor(job.id, hasSlot ? 'memory' : 'slot');
          if (await start(job.id, admission, skipped)) continue;
        }
        skipped.push(job.id);
        after = job;
      }
    },
    (error) => onDefect('none', error),
  );

  /** @returns false if another process has claimed the job */
  async function start(jobId: string, admission: Admission, skipped: readonly string[]): Promise<boolean> {
    using unused = new DisposableStack();
    unused.use(admission);
    const claimed = await claim(jobId, skipped);
    if (claimed === undefined || closing.signal.aborted) {
      await claimed?.putBack();
      return false;
    }
    unused.move();
    const run = (signal: AbortSignal) =>
      runJob(jobId, signal, closing.signal).catch(async (error) => {
        onDefect(jobId, error);
        // If the database is away, the claim expires.
        await claimed.putBack().catch(() => {});
        // The store may have failed: trying the next job at once would spin.
        await wait(RETRY_AFTER_DEFECT_MS, undefined, { ref: false, signal: closing.signal }).catch(() => {});
      });
    runs.start(jobId, admission, run, request);
    return true;
  }

  return {
    /** Begins to start jobs. */
    start: request,
    /** Starts the queued jobs for which a slot is free. Call it after queueing a job or withdrawing a queued one. */
    notify: request,
    /** Aborts the signal of a run; the status of its job holds the reason. Does nothing if the job is not running here. */
    stop: runs.stop,
    isRunning: runs.has,
    /** Ids of the jobs that this process runs. */
    running: runs.jobIds,
    /** Starts no further job and stops the running ones; resolves when every job has been released. */
    async close() {
      closing.abort();
      await close();
      await runs.close();
    },
  };
}
