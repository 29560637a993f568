/** Waits for the end of training jobs. All waits for a job share one query per commit of its events. */
import { isEnded } from '../../domain/jobs/status.ts';
import type { Store } from '../../store/persistent-state.ts';

/** Resolves when the job has ended or does not exist, or when `signal` aborts. It never rejects. */
export type WaitForEnd = (jobId: string, signal: AbortSignal) => Promise<void>;

/** The waits for one job. */
interface Wait {
  readonly resolvers: Set<() => void>;
  readonly unfollow: () => void;
  isReading: boolean;
  /** Whether an event was committed after the query in progress began. */
  isOutdated: boolean;
}

export function createWaitForEnd({ jobs, notices }: Pick<Store, 'jobs' | 'notices'>): WaitForEnd {
  const waits = new Map<string, Wait>();
  notices.on('event', (jobId) => {
    const wait = waits.get(jobId);
    if (wait) void check(jobId, wait);
  });

  async function check(jobId: string, wait: Wait): Promise<void> {
    wait.isOutdated = true;
    if (wait.isReading) return;
    wait.isReading = true;
    try {
      while (wait.isOutdated && wait.resolvers.size > 0) {
        wait.isOutdated = false;
        const job = await jobs.get(jobId);
        if (job === undefined || isEnded(job.status)) for (const resolve of wait.resolvers) resolve();
      }
    } catch {
      // The database is away, or the row is damaged: the next event, or the end of the time, ends the waits.
    } finally {
      wait.isReading = false;
    }
  }

  function join(jobId: string, resolve: () => void): Wait {
    const wait = waits.get(jobId) ?? {
      resolvers: new Set(),
      unfollow: notices.follow(jobId),
      isReading: false,
      isOutdated: false,
    };
    waits.set(jobId, wait);
    wait.resolvers.add(resolve);
    return wait;
  }

  return async (jobId, signal) => {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wait = join(jobId, resolve);
    signal.addEventListener('abort', () => resolve());
    void check(jobId, wait);
    await promise;
    wait.resolvers.delete(resolve);
    if (wait.resolvers.size > 0) return;
    waits.delete(jobId);
    wait.unfollow();
  };
}
