/** The runs of one process: the resources that they hold, and their stop. */

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

export interface LocalRun {
  /** Id of the job */
  readonly id: string;
  /** Memory that the job has reserved */
  readonly bytes: number;
}

/**
 * Chooses the run that is stopped so that a queued job can start, and records the choice, so that no other process stops
 * another one for the same job.
 * @param waiting id of the next queued job
 * @param runs the runs of this process; none of them is stopping
 * @param lacking what the queued job lacks in this process
 * @returns the id of the job to stop; undefined if none has a lower priority, or if stopping one would not help
 */
export type PreemptJob = (
  waiting: string,
  runs: readonly LocalRun[],
  lacking: 'slot' | 'memory',
) => Promise<string | undefined>;

export function createLocalRuns(preempt: PreemptJob) {
  const runs = new Map<string, { stop: AbortController; bytes: number; ended: Promise<void> }>();
  const stop = (jobId: string) => runs.get(jobId)?.stop.abort();

  return {
    count: () => runs.size,
    has: (jobId: string) => runs.has(jobId),
    jobIds: () => [...runs.keys()],
    /** Does nothing if the job is not running here. */
    stop,

    /**
     * Runs a job, and ends its admission afterwards.
     * @param run must not reject
     * @param onEnd called when the run has ended
     */
    start(
      jobId: string,
      admission: Admission,
      run: (signal: AbortSignal) => Promise<unknown>,
      onEnd: () => void,
    ) {
      const stop = new AbortController();
      const ended = run(stop.signal).then(() => {
        runs.delete(jobId);
        admission[Symbol.dispose]();
        onEnd();
      });
      runs.set(jobId, { stop, bytes: admission.bytes, ended });
    },

    /** Stops a job of lower priority, unless a slot and memory become free without that. */
    async preemptFor(waiting: string, lacking: Parameters<PreemptJob>[2]) {
      // The end of a stopping run notifies the queue.
      if (runs.size === 0 || [...runs.values()].some((run) => run.stop.signal.aborted)) return;
      const candidates = [...runs].map(([id, { bytes }]) => ({ id, bytes }));
      const victim = await preempt(waiting, candidates, lacking);
      if (victim !== undefined) runs.get(victim)?.stop.abort(new Preemption(waiting));
    },

    /** Stops all runs; resolves when every one has ended. */
    async close() {
      for (const jobId of runs.keys()) stop(jobId);
      await Promise.all([...runs.values()].map(({ ended }) => ended));
    },
  };
}
