/** Repetition of work that fails for a reason that passes. */
import { setTimeout as wait } from 'node:timers/promises';
import { hasCode, isOutOfFiles } from '../../errors.ts';

/** Between two attempts. */
export const RETRY_MS = 1000;

/**
 * Repeats work once a second.
 * @param isTransient whether an error is worth another attempt
 * @param options.until ends the repetition when it aborts
 * @param options.onFirst called with the first of the errors
 * @throws the error of the last attempt
 */
export async function repeatWhile<T>(
  isTransient: (error: unknown) => boolean,
  work: () => Promise<T>,
  { until, onFirst }: { readonly until: AbortSignal; readonly onFirst?: (error: unknown) => void },
): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await work();
    } catch (error) {
      if (until.aborted || !isTransient(error)) throw error;
      if (isFirst) onFirst?.(error);
      await wait(RETRY_MS, undefined, { signal: until }).catch(() => {});
    }
  }
}

export const isUnavailable = (error: unknown): boolean => hasCode(error, 'storage-unavailable');

/** Whether the disk is full, the database or the object store cannot be reached, or no more files can be opened. */
export const isStorageOutage = (error: unknown): boolean =>
  hasCode(error, 'storage-full', 'storage-unavailable') || isOutOfFiles(error);
