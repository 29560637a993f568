/** Repeats a job's write while the disk is full, and records the wait as an event of the job. */
import { setTimeout as wait } from 'node:timers/promises';
import type { ErrorCode } from '../errors.ts';
import { isStorageFull } from '../store/directory.ts';
import type { Store } from '../store/store.ts';
import type { JobLogger } from './job-log.ts';

const RETRY_MS = 1000;

export interface RetryOptions {
  /** Aborts when the service stops: the next start recovers the job. */
  readonly closing: AbortSignal;
  /** Aborts when the job is to stop: its last writes use the space in reserve, so that it ends on a full disk, too. */
  readonly stopping?: AbortSignal;
  /** Whether an error is worth another attempt; by default a full disk. */
  readonly isTransient?: (error: unknown) => boolean;
}

export type RetryWhileStorageFull = (
  jobId: string,
  write: () => Promise<void>,
  options: RetryOptions,
) => Promise<void>;

export function createRetryWhileStorageFull(
  { events, withReserve }: Pick<Store, 'events' | 'withReserve'>,
  log: JobLogger,
): RetryWhileStorageFull {
  return async (jobId, write, { closing, stopping, isTransient = isStorageFull }) => {
    let fullSince: number | undefined;
    let hasWarned = false;

    async function writeWithWarning(): Promise<void> {
      // The warning is appended before the write, because the write may store the job's last event.
      if (fullSince !== undefined && !hasWarned) {
        await events.append(jobId, 'warning', storageFullWarning(performance.now() - fullSince));
        hasWarned = true;
      }
      return write();
    }

    for (let attempt = 1; ; attempt++) {
      try {
        return await (stopping?.aborted ? withReserve(writeWithWarning) : writeWithWarning());
      } catch (error) {
        if (closing.aborted || !isTransient(error)) throw error;
        if (isStorageFull(error)) fullSince ??= performance.now();
        if (attempt === 1) log.error({ jobId, err: error }, 'failed to store the state of a job, retrying');
        await wait(RETRY_MS, undefined, { signal: closing }).catch(() => {});
      }
    }
  };
}

function storageFullWarning(ms: number): { code: ErrorCode; message: string } {
  const seconds = Math.max(1, Math.round(ms / 1000));
  return {
    code: 'storage-full',
    message: `The disk was full: the progress of the job could not be stored for ${seconds} s. Nothing was lost.`,
  };
}
