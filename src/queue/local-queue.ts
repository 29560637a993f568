/** Job queue of one process. The database holds the queued jobs and their order. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout } from 'node:timers/promises';
import type { AdmitJob, JobQueue, RunJob } from './job-queue.ts';

const RETRY_AFTER_DEFECT_MS = 1000;

/**
 * @param options.nextQueued returns the id of the first queued job
 * @param options.slots number of jobs that run at once
 * @param options.onDefect called if a run rejects, or with `none` as the job if the next job cannot be read
 */
export function createLocalQueue(options: {
  nextQueued: () => Promise<string | undefined>;
  admit: AdmitJob;
  runJob: RunJob;
  slots: number;
  onDefect: (jobId: string, error: unknown) => void;
}): JobQueue {
  const { nextQueued, admit, runJob, slots, onDefect } = options;
  const running = new Map<string, { stop: AbortController; ended: Promise<void> }>();
  const closing = new AbortController();
  let scheduling = Promise.resolve();
  // A job must not run in the async context (the request id) of the caller that notified the queue.
  const runDetached = AsyncLocalStorage.snapshot();

  function start(jobId: string, admission: Disposable): void {
    const stop = new AbortController();
    const ended = runJob(jobId, stop.signal, closing.signal)
      .catch((error) => {
        onDefect(jobId, error);
        // The store may have failed: trying the next job at once would spin.
        return setTimeout(RETRY_AFTER_DEFECT_MS, undefined, { ref: false });
      })
      .then(() => {
        running.delete(jobId);
        admission[Symbol.dispose]();
        notify();
      });
    running.set(jobId, { stop, ended });
  }

  /** Must run one at a time, so that no job is started twice. */
  async function schedule(): Promise<void> {
    while (!closing.signal.aborted && running.size < slots) {
      const jobId = await nextQueued();
      if (closing.signal.aborted || (jobId !== undefined && running.has(jobId))) return;
      const admission = await admit(jobId);
      if (jobId === undefined || admission === null) return;
      start(jobId, admission);
    }
  }

  function notify(): void {
    runDetached(() => {
      scheduling = scheduling.then(schedule).catch((error) => onDefect('none', error));
    });
  }

  const stop = (jobId: string) => running.get(jobId)?.stop.abort();

  return {
    notify,
    stop,
    async close() {
      closing.abort();
      await scheduling;
      for (const jobId of running.keys()) stop(jobId);
      await Promise.all([...running.values()].map((job) => job.ended));
    },
  };
}
