/** Group commit: one sync of the log makes all commits durable that were written before it began. */
import { AtelierError } from '../../errors.ts';
import { errorMessage } from '../blobs/directory.ts';

export interface GroupCommit {
  /**
   * Call right after a commit: it is synced together with all others that were written while the sync before it ran.
   * @param onDurable called after the sync, in the order of the commits; must not throw
   */
  add(onDurable: () => void): void;
  /**
   * Resolves when every commit so far is durable.
   * @throws AtelierError `state-unusable` from the first failed sync on
   */
  durable(): Promise<void>;
  /** @throws AtelierError `state-unusable` if a sync has failed */
  assertUsable(): void;
}

/**
 * A failed sync is never repeated: the operating system may have dropped the pages that it could not write, and would
 * report success (https://wiki.postgresql.org/wiki/Fsync_Errors). Every later commit would follow a gap in the log.
 */
export function createGroupCommit(sync: () => Promise<void>): GroupCommit {
  /** The last scheduled sync, which covers every commit so far. It rejects forever after a failure. */
  let last = Promise.resolve();
  /** Callbacks of the commits that no running sync covers. */
  let waiting: (() => void)[] = [];
  let failure: AtelierError | undefined;

  async function syncWaiting(): Promise<void> {
    const covered = waiting;
    waiting = [];
    await sync().catch((error) => {
      failure = syncFailed(error);
      throw failure;
    });
    for (const onDurable of covered) onDurable();
  }

  return {
    add(onDurable) {
      waiting.push(onDurable);
      if (waiting.length > 1) return;
      last = last.then(syncWaiting);
      last.catch(() => {}); // `durable` reports the error
    },
    durable: () => last,
    assertUsable() {
      if (failure) throw failure;
    },
  };
}

function syncFailed(error: unknown): AtelierError {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : errorMessage(error);
  return new AtelierError(
    'state-unusable',
    `The disk failed to store the latest changes (${reason}), which may be lost. Earlier data is intact. ` +
      'Check the disk of STATE_DIR, then restart the service.',
    { cause: error },
  );
}
