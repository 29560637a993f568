/** One process a state directory. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AtelierError } from '../errors.ts';
import { isBusy, toStateError } from './sqlite.ts';

export interface Lock {
  release(): void;
}

/**
 * Holds `BEGIN EXCLUSIVE` on a database of its own: Node has no flock, and a pid file lies after SIGKILL and in
 * containers. The operating system drops the lock with the process.
 * Nothing else in this process may open and close `lock.sqlite`: POSIX locks go with the first descriptor closed.
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
      `the state directory ${directory} is in use by another Atelier process. ` +
        'Stop that process, or give this one a STATE_DIR of its own.',
      { cause: error },
    );
  }
  const held = raw;
  return { release: () => held.close() };
}
