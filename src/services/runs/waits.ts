/** Jobs of this process that are waiting for a resource. Kept in memory, because a full disk cannot store them. */

export type Waits<Resource extends string> = ReturnType<typeof createWaits<Resource>>;

/** @typeParam Resource value of `waiting` of a job */
export function createWaits<Resource extends string>(resource: Resource) {
  const waiting = new Set<string>();
  const has = (jobId: string) => waiting.has(jobId);
  return {
    /** Counts the job as waiting until the result is disposed of. */
    add(jobId: string): Disposable {
      waiting.add(jobId);
      return { [Symbol.dispose]: () => void waiting.delete(jobId) };
    },
    count: () => waiting.size,
    has,
    /** The job with `waiting`. The database may not hold it. */
    mark: <Job extends { readonly id: string; readonly waiting: Resource | string | null }>(job: Job): Job =>
      has(job.id) ? { ...job, waiting: resource } : job,
  };
}
