/** Lock of the state directory: only one process may use it. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AtelierError } from '../errors.ts';
import { isBusy, toStateError } from './sqlite.ts';

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
    throw new AtelierError(
      'state-locked',
      `The state directory ${directory} is in use by another Atelier process. ` +
        'Stop that process, or set STATE_DIR to another directory.',
      { cause: error },
    );
  }
  const held = raw;
  return { release: () => held.close() };
}
