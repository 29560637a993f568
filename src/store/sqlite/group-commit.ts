/** Group commit: one sync of the log makes all commits durable that were written before it began. */
import { AtelierError } from '../../errors.ts';
import { errorMessage } from '../blobs/directory.ts';

/**
 * A failed sync is never repeated: the operating system may have dropped the pages that it could not write, and would
 * report success (https://wiki.postgresql.org/wiki/Fsync_Errors). Every later commit would follow a gap in the log.
 */
export function createGroupCommit(sync: () => Promise<void>) {
  /** The last scheduled sync. It covers every commit so far, and rejects forever after a failure. */
  let last = Promise.resolve();
  /** Whether a sync is scheduled that has not begun, so it covers further commits. */
  let isScheduled = false;
  let failure: AtelierError | undefined;

  async function syncCommits(): Promise<void> {
    isScheduled = false;
    await sync().catch((error) => {
      failure = syncFailed(error);
      throw failure;
    });
  }

  return {
    /** Call right after a commit: it is synced together with all others that were written while the sync before it ran. */
    add() {
      if (isScheduled) return;
      isScheduled = true;
      last = last.then(syncCommits);
      last.catch(() => {}); // `durable` reports the error
    },
    /**
     * Resolves when every commit so far is durable.
     * @throws AtelierError `state-unusable` from the first failed sync on
     */
    durable: () => last,
    /** @throws AtelierError `state-unusable` if a sync has failed */
    assertUsable() {
      if (failure) throw failure;
    },
  };
}

function syncFailed(error: unknown): AtelierError {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : errorMessage(error);
  return new AtelierError(
    'state-unusable',
    `The disk failed to store the latest changes (${reason}). They may be lost. Earlier data is intact. ` +
      'Check the disk of STATE_DIR, then restart the service.',
    { cause: error },
  );
}
