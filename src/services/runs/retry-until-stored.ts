/** Repeats the writes of a run while the disk is full, the database is away or no file can be opened. */
import { hasCode } from '../../errors.ts';
import type { Run, Store } from '../../store/persistent-state.ts';
import type { JobLogger } from '../events/log.ts';
import { isStorageOutage, isUnavailable, repeatWhile } from './repeat.ts';
import type { Waits } from './waits.ts';

export interface RetryOptions {
  /** Aborts when the service stops: the next start recovers the job. */
  readonly closing: AbortSignal;
  /** Aborts when the job is to stop: its last writes use the space in reserve, so that it also ends on a full disk. */
  readonly stopping?: AbortSignal;
  /** Whether an error is worth another attempt; by default what `isStorageOutage` names. */
  readonly isTransient?: (error: unknown) => boolean;
}

/**
 * Returns undefined if the run has ended although its last write seemed to fail: a connection that is lost during a
 * commit leaves open whether it has happened. A wait for storage writes two events, one when the storage accepts it and
 * one after the write; if the write ends the run, its `status` event is the second one.
 * @param run without `recordWaiting`, if its job has no events
 */
export type RetryUntilStored = <T>(
  run: { readonly job: { readonly id: string } } & Partial<Pick<Run, 'recordWaiting'>>,
  write: () => Promise<T>,
  options: RetryOptions,
) => Promise<T | undefined>;

/** Code of the events of a job that waits because no more files can be opened. */
export const NO_FILES = 'too-many-open-files';
const OUTAGES = {
  'storage-full': {
    reason: 'the disk is full',
    ended: 'The disk was full: the progress of the job could not be stored',
  },
  'storage-unavailable': {
    reason: 'the database or the object store is unreachable',
    ended: 'The database or the object store was unreachable',
  },
  [NO_FILES]: {
    reason: 'the process cannot open more files (ulimit -n)',
    ended: 'The process could not open more files',
  },
} as const;

interface Outage {
  readonly code: keyof typeof OUTAGES;
  readonly since: Date;
}

export function createRetryUntilStored(
  { withReserve }: Pick<Store, 'withReserve'>,
  waits: Waits<'storage'>,
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
        await run.recordWaiting?.('storage', waitStarted(outage));
        isRecorded = true;
      }
      return write();
    }

    async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
      try {
        return await (stopping?.aborted ? withReserve(work) : work());
      } catch (error) {
        if (isUncertain && hasCode(error, 'illegal-transition')) return undefined;
        isUncertain ||= isUnavailable(error);
        if (outage === undefined && isStorageOutage(error)) {
          outage = { code: codeOf(error), since: new Date() };
          waiting.use(waits.add(jobId));
        }
        throw error;
      }
    }

    const repeat = <T>(work: () => Promise<T>) =>
      repeatWhile(isTransient, () => attempt(work), {
        until: closing,
        onFirst: (err) => log.error({ jobId, err }, 'failed to store the state of a job, retrying'),
      });

    const written = await repeat(recordAndWrite);
    if (outage !== undefined) {
      const ended = waitEnded(outage);
      // If the service stops, the release of the job ends the wait.
      await repeat(async () => run.recordWaiting?.(null, ended)).catch((error) => {
        if (!closing.aborted) throw error;
      });
    }
    return written;
  };
}

const codeOf = (error: unknown): Outage['code'] =>
  isUnavailable(error) ? 'storage-unavailable' : hasCode(error, 'storage-full') ? 'storage-full' : NO_FILES;

function waitStarted({ code, since }: Outage) {
  const message = `The job is waiting for storage: ${OUTAGES[code].reason}. It continues automatically, and nothing is lost.`;
  return { code, message, since: since.toISOString() };
}

function waitEnded({ code, since }: Outage) {
  const seconds = Math.max(1, Math.round((Date.now() - since.getTime()) / 1000));
  return { code, message: `${OUTAGES[code].ended} for ${seconds} s. Nothing was lost.` };
}
