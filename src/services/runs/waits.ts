/** Jobs of this process that are waiting for a resource. Kept in memory, because a full disk cannot store them. */

/** @typeParam Resource value of `waiting` of a job */
export interface Waits<Resource extends string> {
  /** Counts the job as waiting until the result is disposed of. */
  add(jobId: string): Disposable;
  count(): number;
  has(jobId: string): boolean;
  /** The job with `waiting`. The database may not hold it. */
  mark<Job extends { readonly id: string; readonly waiting: Resource | string | null }>(job: Job): Job;
}

export function createWaits<Resource extends string>(resource: Resource): Waits<Resource> {
  const waiting = new Set<string>();
  const has = (jobId: string) => waiting.has(jobId);
  return {
    add(jobId) {
      waiting.add(jobId);
      return { [Symbol.dispose]: () => void waiting.delete(jobId) };
    },
    count: () => waiting.size,
    has,
    mark: (job) => (has(job.id) ? { ...job, waiting: resource } : job),
  };
}
