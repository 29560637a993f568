/** The running jobs of one process. */
import { type Admission, Preemption, type PreemptJob } from './job-queue.ts';

export interface RunningJobs {
  count(): number;
  has(jobId: string): boolean;
  /**
   * Runs a job, and ends its admission afterwards.
   * @param run must not reject
   * @param onEnd called when the job is no longer running
   */
  start(
    jobId: string,
    admission: Admission,
    run: (signal: AbortSignal) => Promise<unknown>,
    onEnd: () => void,
  ): void;
  /** Stops a job of lower priority, unless a slot and memory become free without that. */
  preemptFor(waiting: string, lacking: Parameters<PreemptJob>[2]): Promise<void>;
  /** Does nothing if the job is not running here. */
  stop(jobId: string): void;
  ids(): string[];
  /** Stops all jobs; resolves when every one has ended. */
  close(): Promise<void>;
}

export function createRunningJobs(preempt: PreemptJob): RunningJobs {
  const running = new Map<string, { stop: AbortController; bytes: number; ended: Promise<void> }>();
  const stop = (jobId: string) => running.get(jobId)?.stop.abort();

  return {
    count: () => running.size,
    has: (jobId) => running.has(jobId),
    ids: () => [...running.keys()],
    stop,

    start(jobId, admission, run, onEnd) {
      const stop = new AbortController();
      const ended = run(stop.signal).then(() => {
        running.delete(jobId);
        admission[Symbol.dispose]();
        onEnd();
      });
      running.set(jobId, { stop, bytes: admission.bytes, ended });
    },

    async preemptFor(waiting, lacking) {
      const jobs = [...running];
      // The end of a stopping job notifies the queue.
      if (jobs.length === 0 || jobs.some(([, job]) => job.stop.signal.aborted)) return;
      const victim = await preempt(
        waiting,
        jobs.map(([id, { bytes }]) => ({ id, bytes })),
        lacking,
      );
      if (victim !== undefined) running.get(victim)?.stop.abort(new Preemption(waiting));
    },

    async close() {
      for (const jobId of running.keys()) stop(jobId);
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}
