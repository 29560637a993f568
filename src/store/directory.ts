/** The directory that holds everything that survives. */
import { constants, existsSync, statSync } from 'node:fs';
import { access, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AtelierError } from '../errors.ts';

/** Makes the directory if need be. @throws AtelierError `state-unusable` when nothing can be written there */
export async function prepareDirectory(directory: string): Promise<void> {
  try {
    await makeDirectory(directory);
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new AtelierError(
      'state-unusable',
      `the state directory ${directory} cannot be written: ${errorMessage(error)}. ` +
        'Set STATE_DIR to a directory that this process may create and write.',
      { cause: error },
    );
  }
}

/** Step by step: `recursive` never ends where a directory that is there answers that there is none, as /proc does. */
async function makeDirectory(directory: string): Promise<void> {
  const parent = dirname(directory);
  if (!existsSync(parent)) await makeDirectory(parent);
  try {
    await mkdir(directory);
  } catch (error) {
    if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/** A new or renamed file survives a power failure only once its directory is on disk too. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** No space, none of the user’s share, more than a file may have. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

export function isStorageFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FULL.includes(String(error.code));
}

/** @param what cannot be stored */
export function storageFull(what: string, cause: unknown): AtelierError {
  return new AtelierError(
    'storage-full',
    `There is no space left to store ${what}; what was stored before is there. Free some space on the disk that ` +
      'STATE_DIR is on, then try again.',
    { cause },
  );
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
