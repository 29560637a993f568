/** Repeats the writes of a run while the disk is full or the database cannot be reached, and records the wait. */
import { setTimeout as wait } from 'node:timers/promises';
import { hasCode } from '../../errors.ts';
import type { Run, Store } from '../../store/persistent-state.ts';
import type { JobLogger } from '../events/log.ts';
import type { StorageWaits } from './storage-waits.ts';

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
 * commit leaves open whether it has happened. A wait for storage writes two events, one when the storage accepts it and
 * one after the write; if the write ends the run, its `status` event is the second one.
 */
export type RetryUntilStored = <T>(
  run: Pick<Run, 'job' | 'recordWaiting'>,
  write: () => Promise<T>,
  options: RetryOptions,
) => Promise<T | undefined>;

type Outage = { readonly code: 'storage-full' | 'storage-unavailable'; readonly since: Date };

export function createRetryUntilStored(
  { withReserve }: Pick<Store, 'withReserve'>,
  waits: StorageWaits,
  log: JobLogger,
): RetryUntilStored {
  return async (run, write, { closing, stopping, isTransient = isStorageOutage }) => {
    const jobId = run.job.id;
    using waiting = new DisposableStack();
    let outage: Outage | undefined;
    let isRecorded = false;
    let isUncertain = false;

    async function recordAndWrite() {
      // The event is recorded before the write, because the write may store the job's last event.
      if (outage !== undefined && !isRecorded) {
        await run.recordWaiting('storage', waitStarted(outage));
        isRecorded = true;
      }
      return write();
    }

    function startOutage(error: unknown): void {
      const code = storageCode(error);
      if (code === undefined || outage !== undefined) return;
      outage = { code, since: new Date() };
      waiting.use(waits.add(jobId));
    }

    async function repeat<T>(attempt: () => Promise<T>): Promise<T | undefined> {
      for (let isFirst = true; ; isFirst = false) {
        try {
          return await (stopping?.aborted ? withReserve(attempt) : attempt());
        } catch (error) {
          if (isUncertain && hasCode(error, 'illegal-transition')) return undefined;
          if (closing.aborted || !isTransient(error)) throw error;
          if (hasCode(error, 'storage-unavailable')) isUncertain = true;
          startOutage(error);
          if (isFirst) log.error({ jobId, err: error }, 'failed to store the state of a job, retrying');
          await wait(RETRY_MS, undefined, { signal: closing }).catch(() => {});
        }
      }
    }

    const written = await repeat(recordAndWrite);
    if (outage !== undefined) {
      const ended = waitEnded(outage);
      // If the service stops, the release of the job ends the wait.
      await repeat(() => run.recordWaiting(null, ended)).catch((error) => {
        if (!closing.aborted) throw error;
      });
    }
    return written;
  };
}

function storageCode(error: unknown): Outage['code'] | undefined {
  return (['storage-full', 'storage-unavailable'] as const).find((code) => hasCode(error, code));
}

export function isStorageOutage(error: unknown): boolean {
  return storageCode(error) !== undefined;
}

function waitStarted({ code, since }: Outage) {
  const reason =
    code === 'storage-full' ? 'the disk is full' : 'the database or the object store is unreachable';
  const message = `The job waits for storage: ${reason}. It goes on by itself, and nothing is lost.`;
  return { code, message, since: since.toISOString() };
}

function waitEnded({ code, since }: Outage) {
  const seconds = Math.max(1, Math.round((Date.now() - since.getTime()) / 1000));
  const message =
    code === 'storage-full'
      ? `The disk was full: the progress of the job could not be stored for ${seconds} s. Nothing was lost.`
      : `The database or the object store was unreachable for ${seconds} s. Nothing was lost.`;
  return { code, message };
}
