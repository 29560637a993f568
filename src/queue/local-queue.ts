/** Job queue of one process. The database holds the queued jobs and their order. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout } from 'node:timers/promises';
import type { AdmitJob, JobQueue, PreemptJob, RunJob } from './job-queue.ts';
import { createRunningJobs } from './running-jobs.ts';

const RETRY_AFTER_DEFECT_MS = 1000;

/**
 * @param options.nextQueued returns the id of the first queued job
 * @param options.preempt by default no job stops for another one
 * @param options.slots number of jobs that run at once
 * @param options.onDefect called if a run rejects, or with `none` as the job if the next job cannot be read
 */
export function createLocalQueue(options: {
  nextQueued: () => Promise<string | undefined>;
  admit: AdmitJob;
  preempt?: PreemptJob;
  runJob: RunJob;
  slots: number;
  onDefect: (jobId: string, error: unknown) => void;
}): JobQueue {
  const { nextQueued, admit, runJob, slots, onDefect } = options;
  const running = createRunningJobs(options.preempt ?? (async () => undefined));
  const closing = new AbortController();
  let scheduling = Promise.resolve();
  // A job must not run in the async context (the request id) of the caller that notified the queue.
  const runDetached = AsyncLocalStorage.snapshot();

  const run = (jobId: string) => (signal: AbortSignal) =>
    runJob(jobId, signal, closing.signal).catch((error) => {
      onDefect(jobId, error);
      // The store may have failed: trying the next job at once would spin.
      return setTimeout(RETRY_AFTER_DEFECT_MS, undefined, { ref: false });
    });

  /** Must run one at a time, so that no job is started twice. */
  async function schedule(): Promise<void> {
    while (!closing.signal.aborted) {
      const jobId = await nextQueued();
      if (closing.signal.aborted || (jobId !== undefined && running.has(jobId))) return;
      const hasSlot = running.count() < slots;
      const admission = hasSlot ? await admit(jobId) : null;
      if (jobId === undefined) return;
      if (admission === null) return running.preemptFor(jobId, hasSlot ? 'memory' : 'slot');
      running.start(jobId, admission, run(jobId), notify);
    }
  }

  function notify(): void {
    runDetached(() => {
      scheduling = scheduling.then(schedule).catch((error) => onDefect('none', error));
    });
  }

  return {
    start: notify,
    notify,
    stop: running.stop,
    async close() {
      closing.abort();
      await scheduling;
      await running.close();
    },
  };
}
