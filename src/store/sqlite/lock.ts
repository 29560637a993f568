/** Lock of the state directory: only one process may use it. */
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AtelierError } from '../../errors.ts';
import { isBusy, toStateError } from './errors.ts';

export interface Lock {
  release(): void;
}

/**
 * Holds `BEGIN EXCLUSIVE` on a separate database: Node has no flock, and pid files are wrong after SIGKILL and in
 * containers. The operating system releases the lock when the process ends.
 * This process must not open and close `lock.sqlite` elsewhere: POSIX locks are released when any descriptor is closed.
 * @throws AtelierError `state-locked`, `state-unusable`
 */
export function lockDirectory(directory: string): Lock {
  const file = join(directory, 'lock.sqlite');
  let raw: DatabaseSync | undefined;
  try {
    raw = new DatabaseSync(file, { timeout: 0 });
    raw.exec('begin exclusive');
  } catch (error) {
    raw?.close();
    if (!isBusy(error)) throw toStateError(file, error);
    const user = `The state directory ${directory} is in use by another Atelier process.`;
    throw stateLocked(`${user} Stop that process, or set STATE_DIR to another directory.`, error);
  }
  const held = raw;
  return { release: () => held.close() };
}

/**
 * Checks that no other process has the database open, because `lock.sqlite` can be removed while its process runs: takes
 * the exclusive lock of the database file and releases it again. A permanent one would also shut out backups.
 * In WAL mode every connection holds a shared lock from its first statement to its close.
 * @param raw the first connection of this process, in WAL mode
 * @throws AtelierError `state-locked`
 */
export function assertUnusedDatabase(raw: DatabaseSync, file: string): void {
  raw.exec('pragma locking_mode = exclusive');
  try {
    raw.exec('begin immediate; commit');
  } catch (error) {
    if (!isBusy(error)) throw error;
    const user = `The database of the state directory ${dirname(file)} is in use by another process, but lock.sqlite is not.`;
    const advice =
      'Stop the Atelier process whose lock.sqlite was removed, or close the program that reads the database.';
    throw stateLocked(`${user} ${advice}`, error);
  }
  raw.exec('pragma locking_mode = normal');
  // The next statement that reads releases the lock.
  raw.prepare('select count(*) from sqlite_schema').get();
}

function stateLocked(message: string, cause: unknown): AtelierError {
  return new AtelierError('state-locked', message, { cause });
}
