/** Job queue of many processes that share a PostgreSQL database. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout } from 'node:timers/promises';
import type { Claim, JobClaims, QueuedJob } from './job-claims.ts';
import type { AdmitJob, JobQueue, RunJob } from './job-queue.ts';
import { repeatedWork } from './repeated-work.ts';

const RETRY_AFTER_DEFECT_MS = 1000;
/** A notice can be lost with a connection, and memory or an environment can become free without one. */
const POLL_MS = 1000;

/** Calls the listener after each change, and when one may have been missed. */
export interface QueueNotices {
  on(kind: 'queue' | 'job', listener: (jobId: string) => void): void;
}

export interface SharedJobQueue extends JobQueue {
  isRunning(jobId: string): boolean;
}

/**
 * @param options.isLeft whether a job is left to other processes
 * @param options.slots number of jobs that run at once in this process
 * @param options.onDefect called if a run rejects, or with `none` as the job if the queue cannot be read
 */
export function createPgBossQueue(options: {
  claims: JobClaims;
  notices: QueueNotices;
  isLeft: (job: QueuedJob) => Promise<boolean>;
  admit: AdmitJob;
  runJob: RunJob;
  slots: number;
  onDefect: (jobId: string, error: unknown) => void;
}): SharedJobQueue {
  const { claims, notices, isLeft, admit, runJob, slots, onDefect } = options;
  const running = new Map<string, { stop: AbortController; ended: Promise<void> }>();
  const closing = new AbortController();
  let scheduling = Promise.resolve();
  let isScheduled = false;
  // A job must not run in the async context (the request id) of the caller that notified the queue.
  const runDetached = AsyncLocalStorage.snapshot();

  function start(claim: Claim, admission: Disposable): void {
    const stop = new AbortController();
    const ended = runJob(claim.id, stop.signal, closing.signal)
      .catch(async (error) => {
        onDefect(claim.id, error);
        // If the database is away, the reaper puts the ticket back.
        await claim.putBack().catch(() => {});
        if (!closing.signal.aborted) await setTimeout(RETRY_AFTER_DEFECT_MS, undefined, { ref: false });
      })
      .then(() => {
        running.delete(claim.id);
        admission[Symbol.dispose]();
        notify();
      });
    running.set(claim.id, { stop, ended });
  }

  /**
   * Starts jobs in their order. The next job is admitted before a ticket is claimed, so that a job that must wait here
   * stays available to the other processes.
   */
  async function fillSlots(): Promise<void> {
    const skipped: string[] = [];
    let after: QueuedJob | undefined;
    while (!closing.signal.aborted && running.size < slots) {
      const next = await claims.next(after);
      if (next !== undefined && (running.has(next.id) || (await isLeft(next)))) {
        skipped.push(next.id);
        after = next;
        continue;
      }
      const admission = await admit(next?.id);
      if (next === undefined || admission === null) return;
      if (!(await startFirst(next, admission, skipped))) return;
    }
  }

  /** @returns whether to go on with the next job */
  async function startFirst(admitted: QueuedJob, admission: Disposable, skipped: string[]): Promise<boolean> {
    const claim = await claims.claim(skipped).catch((error) => {
      admission[Symbol.dispose]();
      throw error;
    });
    if (claim?.id === admitted.id) {
      start(claim, admission);
      return true;
    }
    admission[Symbol.dispose]();
    // Another process has claimed the admitted job.
    if (claim === undefined) return false;
    if (await isLeft(claim)) skipped.push(claim.id);
    else {
      const own = await admit(claim.id);
      if (own !== null) {
        start(claim, own);
        return true;
      }
    }
    await claim.putBack();
    return skipped.includes(claim.id);
  }

  async function stopRequested(): Promise<void> {
    if (running.size === 0) return;
    for (const jobId of await claims.stopping([...running.keys()])) stop(jobId);
  }

  const report = (error: unknown) => onDefect('none', error);
  const tryToFill = repeatedWork(fillSlots, report);
  const tryToStop = repeatedWork(stopRequested, report);

  function notify(): void {
    if (isScheduled || closing.signal.aborted) return;
    isScheduled = true;
    runDetached(() => {
      scheduling = scheduling.then(() => {
        isScheduled = false;
        return tryToFill();
      });
    });
  }

  const stop = (jobId: string) => running.get(jobId)?.stop.abort();

  function poll(): void {
    notify();
    void tryToStop();
  }

  notices.on('queue', notify);
  notices.on('job', () => void tryToStop());
  const timer = setInterval(poll, POLL_MS).unref();

  return {
    notify,
    stop,
    isRunning: (jobId) => running.has(jobId),
    async close() {
      closing.abort();
      clearInterval(timer);
      await scheduling;
      for (const jobId of running.keys()) stop(jobId);
      await Promise.all([...running.values()].map((job) => job.ended));
    },
  };
}
