/** The jobs of this process that wait for storage. Kept in memory, because a full disk can store no such thing. */
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { JobRevision } from '../../store/jobs/repository.ts';

export interface StorageWaits {
  /** Counts the job as waiting until the result is disposed of. */
  add(jobId: string): Disposable;
  count(): number;
  /** The job with `waiting`, which the database may not hold yet. */
  mark(job: TrainingJob): TrainingJob;
  markRevision(revision: JobRevision): JobRevision;
}

export function createStorageWaits(): StorageWaits {
  const waiting = new Set<string>();
  return {
    add(jobId) {
      waiting.add(jobId);
      return { [Symbol.dispose]: () => void waiting.delete(jobId) };
    },
    count: () => waiting.size,
    mark: (job) => (waiting.has(job.id) ? { ...job, waiting: 'storage' } : job),
    markRevision: ({ id, revision }) => ({
      id,
      revision: waiting.has(id) ? `${revision}-storage` : revision,
    }),
  };
}
