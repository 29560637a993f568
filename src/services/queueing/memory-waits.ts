/** The prediction jobs of this process that wait for memory. */
import type { PredictionJob } from '../../domain/predictions/job.ts';

export interface MemoryWaits {
  /** Counts the job as waiting until the result is disposed of. */
  add(jobId: string): Disposable;
  /** The job with `waiting`, which the database does not hold. */
  mark(job: PredictionJob): PredictionJob;
}

export function createMemoryWaits(): MemoryWaits {
  const waiting = new Set<string>();
  return {
    add(jobId) {
      waiting.add(jobId);
      return { [Symbol.dispose]: () => void waiting.delete(jobId) };
    },
    mark: (job) => (waiting.has(job.id) ? { ...job, waiting: 'memory' } : job),
  };
}
