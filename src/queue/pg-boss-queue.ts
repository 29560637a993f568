/** Job queue of many processes that share a PostgreSQL database. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout } from 'node:timers/promises';
import type { Claim, JobClaims, QueuedJob } from './job-claims.ts';
import type { Admission, AdmitJob, JobQueue, PreemptJob, RunJob } from './job-queue.ts';
import { repeatedWork } from './repeated-work.ts';
import { createRunningJobs } from './running-jobs.ts';

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
  preempt: PreemptJob;
  runJob: RunJob;
  slots: number;
  onDefect: (jobId: string, error: unknown) => void;
}): SharedJobQueue {
  const { claims, notices, isLeft, admit, runJob, slots, onDefect } = options;
  const running = createRunningJobs(options.preempt);
  const closing = new AbortController();
  let scheduling = Promise.resolve();
  let isScheduled = false;
  // A job must not run in the async context (the request id) of the caller that notified the queue.
  const runDetached = AsyncLocalStorage.snapshot();

  function start(claim: Claim, admission: Admission): void {
    const run = (signal: AbortSignal) =>
      runJob(claim.id, signal, closing.signal).catch(async (error) => {
        onDefect(claim.id, error);
        // If the database is away, the reaper puts the ticket back.
        await claim.putBack().catch(() => {});
        if (!closing.signal.aborted) await setTimeout(RETRY_AFTER_DEFECT_MS, undefined, { ref: false });
      });
    running.start(claim.id, admission, run, notify);
  }

  /**
   * Starts jobs in their order. The next job is admitted before a ticket is claimed, so that a job that must wait here
   * stays available to the other processes.
   */
  async function fillSlots(): Promise<void> {
    const skipped: string[] = [];
    let after: QueuedJob | undefined;
    while (!closing.signal.aborted) {
      const next = await claims.next(after);
      if (next !== undefined && (running.has(next.id) || (await isLeft(next)))) {
        skipped.push(next.id);
        after = next;
        continue;
      }
      const hasSlot = running.count() < slots;
      const admission = hasSlot ? await admit(next?.id) : null;
      if (next === undefined) return;
      if (admission === null) return running.preemptFor(next.id, hasSlot ? 'memory' : 'slot');
      if (!(await startFirst(next, admission, skipped))) return;
    }
  }

  /** @returns whether to go on with the next job */
  async function startFirst(admitted: QueuedJob, admission: Admission, skipped: string[]): Promise<boolean> {
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
    if (running.count() === 0) return;
    for (const jobId of await claims.stopping(running.ids())) running.stop(jobId);
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

  function poll(): void {
    notify();
    void tryToStop();
  }

  let timer: NodeJS.Timeout | undefined;

  return {
    start() {
      notices.on('queue', notify);
      notices.on('job', () => void tryToStop());
      timer = setInterval(poll, POLL_MS).unref();
      notify();
    },
    notify,
    stop: running.stop,
    isRunning: running.has,
    async close() {
      closing.abort();
      clearInterval(timer);
      await scheduling;
      await running.close();
    },
  };
}
