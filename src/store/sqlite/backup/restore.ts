/** Restore: puts a backup into an empty state directory, all of it or nothing. */
import { existsSync, statSync } from 'node:fs';
import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AtelierError } from '../../../errors.ts';
import { isDiskFull, prepareDirectory, storageFull, syncPath } from '../../blobs/directory.ts';
import { bootstrapKeyFile } from '../../bootstrap-key.ts';
import { lockDirectory } from '../lock.ts';
import { KINDS, UNFINISHED_RESTORE } from '../unreferenced-files.ts';
import { copyVerified } from './copy.ts';
import { DATABASE } from './files.ts';

const LOCK = 'lock.sqlite';

/**
 * Copies the backup into a folder of the state directory, verifies the database and the SHA-256 of every file there, and
 * then moves them into place, the database last. After an error the state directory is as before. What a killed process
 * leaves behind is removed by the next restore, and prevents a start of the service until then.
 * @returns the number of files besides the database
 * @throws AtelierError `state-locked`; `state-unusable` if the backup is damaged or the state directory is not empty;
 * `storage-full`
 */
export async function restore(backup: string, stateDir: string): Promise<number> {
  if (!statSync(join(backup, DATABASE), { throwIfNoEntry: false })?.isFile()) {
    const message = `${join(backup, DATABASE)} is not a file. Name a directory that npx atelier backup has made.`;
    throw new AtelierError('state-unusable', message);
  }
  const isNew = !existsSync(stateDir);
  await prepareDirectory(stateDir);
  try {
    if (isNew) await syncPath(dirname(stateDir));
    return await restoreLocked(backup, stateDir);
  } catch (error) {
    // Fails if another process has begun to use the directory.
    if (isNew) await rmdir(stateDir).catch(() => {});
    throw isDiskFull(error) ? storageFull('the backup', error) : error;
  }
}

async function restoreLocked(backup: string, stateDir: string): Promise<number> {
  const hadLock = existsSync(join(stateDir, LOCK));
  const lock = lockDirectory(stateDir);
  try {
    await assertEmpty(stateDir);
    // A backup has no lock, but the copy of a whole state directory does.
    const source = existsSync(join(backup, LOCK)) ? lockDirectory(backup) : undefined;
    try {
      const files = await copyVerified(backup, join(stateDir, UNFINISHED_RESTORE));
      await moveIntoPlace(stateDir);
      return files;
    } catch (error) {
      await removeUnfinished(stateDir);
      throw error;
    } finally {
      source?.release();
    }
  } catch (error) {
    if (!hadLock) await rm(join(stateDir, LOCK), { force: true });
    throw error;
  } finally {
    lock.release();
  }
}

/** Accepts what a killed restore has left behind, and the folder `lost+found` of a file system. */
async function assertEmpty(stateDir: string): Promise<void> {
  if (existsSync(join(stateDir, UNFINISHED_RESTORE)) && !existsSync(join(stateDir, DATABASE))) {
    await removeUnfinished(stateDir);
  }
  const found = (await readdir(stateDir)).filter((name) => !name.startsWith(LOCK));
  // Only root can read the folder that mkfs creates.
  const lost = await readdir(join(stateDir, 'lost+found')).catch(() => []);
  if (lost.length === 0 && found.every((name) => name === 'lost+found')) return;
  throw new AtelierError(
    'state-unusable',
    `The state directory ${stateDir} is not empty: it holds ${found.slice(0, 5).join(', ')}. ` +
      'Stop the service and move the directory away, or set STATE_DIR to an empty one.',
  );
}

/** The database comes last: without it, the service does not start. */
async function moveIntoPlace(stateDir: string): Promise<void> {
  const from = join(stateDir, UNFINISHED_RESTORE);
  const files = (await readdir(from)).filter((name) => name !== DATABASE);
  for (const name of files) await rename(join(from, name), join(stateDir, name));
  await syncPath(stateDir);
  await rename(join(from, DATABASE), join(stateDir, DATABASE));
  await rmdir(from);
  await syncPath(stateDir);
}

/** The folder of the copy is removed last, so that a process that is killed before leaves it. */
async function removeUnfinished(stateDir: string): Promise<void> {
  const moved = [DATABASE, ...KINDS, basename(bootstrapKeyFile(stateDir)), UNFINISHED_RESTORE];
  for (const name of moved) await rm(join(stateDir, name), { recursive: true, force: true });
}
