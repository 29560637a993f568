/** Repeats the writes of a run while the disk is full or the database cannot be reached, and records the wait. */
import { setTimeout as wait } from 'node:timers/promises';
import { hasCode } from '../errors.ts';
import type { Run, Store } from '../store/store.ts';
import type { JobLogger } from './job-log.ts';

export const RETRY_MS = 1000;

export interface RetryOptions {
  /** Aborts when the service stops: the next start recovers the job. */
  readonly closing: AbortSignal;
  /** Aborts when the job is to stop: its last writes use the space in reserve, so that it ends on a full disk, too. */
  readonly stopping?: AbortSignal;
  /** Whether an error is worth another attempt; by default a full disk and an unreachable database. */
  readonly isTransient?: (error: unknown) => boolean;
}

/**
 * Returns undefined if the run has ended although its last write seemed to fail: a connection that is lost during a
 * commit leaves open whether it has happened.
 */
export type RetryUntilStored = <T>(
  run: Pick<Run, 'job' | 'warn'>,
  write: () => Promise<T>,
  options: RetryOptions,
) => Promise<T | undefined>;

type Outage = { readonly code: 'storage-full' | 'storage-unavailable'; readonly since: number };

export function createRetryUntilStored(
  { withReserve }: Pick<Store, 'withReserve'>,
  log: JobLogger,
): RetryUntilStored {
  return async (run, write, { closing, stopping, isTransient = isStorageOutage }) => {
    const jobId = run.job.id;
    let outage: Outage | undefined;
    let hasWarned = false;
    let isUncertain = false;

    async function writeWithWarning() {
      // The warning is recorded before the write, because the write may store the job's last event.
      if (outage !== undefined && !hasWarned) {
        await run.warn(outageWarning(outage));
        hasWarned = true;
      }
      return write();
    }

    for (let attempt = 1; ; attempt++) {
      try {
        return await (stopping?.aborted ? withReserve(writeWithWarning) : writeWithWarning());
      } catch (error) {
        if (isUncertain && hasCode(error, 'illegal-transition')) return undefined;
        if (closing.aborted || !isTransient(error)) throw error;
        if (hasCode(error, 'storage-unavailable')) isUncertain = true;
        outage ??= startOutage(error);
        if (attempt === 1) log.error({ jobId, err: error }, 'failed to store the state of a job, retrying');
        await wait(RETRY_MS, undefined, { signal: closing }).catch(() => {});
      }
    }
  };
}

function isStorageOutage(error: unknown): boolean {
  return hasCode(error, 'storage-full', 'storage-unavailable');
}

function startOutage(error: unknown): Outage | undefined {
  const since = performance.now();
  if (hasCode(error, 'storage-full')) return { code: 'storage-full', since };
  if (hasCode(error, 'storage-unavailable')) return { code: 'storage-unavailable', since };
  return undefined;
}

function outageWarning({ code, since }: Outage) {
  const seconds = Math.max(1, Math.round((performance.now() - since) / 1000));
  const message =
    code === 'storage-full'
      ? `The disk was full: the progress of the job could not be stored for ${seconds} s. Nothing was lost.`
      : `The database was unreachable for ${seconds} s. Nothing was lost.`;
  return { code, message };
}
