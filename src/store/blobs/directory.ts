/** The state directory, and helpers for files in it. */
import { constants, existsSync, statSync } from 'node:fs';
import { access, type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSemaphore } from '../../concurrency/semaphore.ts';
import { AtelierError } from '../../errors.ts';

/** Creates the directory if it does not exist. @throws AtelierError `state-unusable` if it is not writable */
export async function prepareDirectory(directory: string): Promise<void> {
  try {
    await makeDirectory(directory);
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new AtelierError(
      'state-unusable',
      `The state directory ${directory} is not writable: ${errorMessage(error)}. ` +
        'Set STATE_DIR to a directory that this process can create and write to.',
      { cause: error },
    );
  }
}

/** Creates parents one by one, because `recursive` loops forever on file systems like /proc. */
async function makeDirectory(directory: string): Promise<void> {
  const parent = dirname(directory);
  if (!existsSync(parent)) await makeDirectory(parent);
  try {
    await mkdir(directory);
  } catch (error) {
    if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

const syncing = createSemaphore(1);

/** Syncs one file at a time: slow ones would fill the four threads of libuv. They also read models and sync the log. */
export function syncFile(handle: FileHandle): Promise<void> {
  return syncing.run(() => handle.sync());
}

/**
 * Syncs a file or a directory. A new or renamed file survives a power failure only after its directory is also synced.
 */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await syncFile(handle);
  } finally {
    await handle.close();
  }
}

/** Error codes for a full disk, an exceeded quota, and a file that is too large. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Whether a system error means that the disk is full; `storageFull` is the error that this becomes. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FULL.includes(String(error.code));
}

/** @param what the object that could not be stored */
export function storageFull(what: string, cause: unknown): AtelierError {
  return new AtelierError(
    'storage-full',
    `The disk is full, so ${what} could not be stored. Earlier data is intact. Free some space on the disk of STATE_DIR, ` +
      'then try again.',
    { cause },
  );
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
