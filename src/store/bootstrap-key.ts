/** Storage of the bootstrap key: its hash, in a file that the operator can delete. */
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ApiKey, formatApiKey, parseApiKeys } from '../domain/api-key.ts';
import { AtelierError } from '../errors.ts';
import { errorMessage, syncPath } from './blobs/directory.ts';

export interface BootstrapKeys {
  /** Returns undefined if none is stored. */
  read(): Promise<ApiKey | undefined>;
  /** Replaces the stored key. */
  save(key: ApiKey): Promise<void>;
  /**
   * Stores the key, unless another process has stored one.
   * @param show called before the key is stored, because a stored key that was never shown would lock everyone out
   * @returns the stored key
   */
  create(key: ApiKey, show: () => void): Promise<ApiKey>;
}

/** The caller must hold the lock of the state directory. Methods throw AtelierError `state-unusable`. */
export function createBootstrapKeyFile(stateDir: string): BootstrapKeys {
  return {
    read: () => readBootstrapKey(stateDir),
    save: (key) => saveBootstrapKey(stateDir, key),
    async create(key, show) {
      show();
      await saveBootstrapKey(stateDir, key);
      return key;
    },
  };
}

export const bootstrapKeyFile = (stateDir: string) => join(stateDir, 'api-key');

/** Returns undefined if the file does not exist. @throws AtelierError `state-unusable` if it cannot be read */
export async function readBootstrapKey(stateDir: string): Promise<ApiKey | undefined> {
  const file = bootstrapKeyFile(stateDir);
  try {
    return parseApiKeys(await readFile(file, 'utf8'))[0];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AtelierError(
      'state-unusable',
      `The hash of the bootstrap key in ${file} cannot be read: ${errorMessage(error)}. Delete the file; the next start generates a new key.`,
      { cause: error },
    );
  }
}

/** Replaces the file atomically, even if the process is killed. @throws AtelierError `state-unusable` */
export async function saveBootstrapKey(stateDir: string, key: ApiKey): Promise<void> {
  const file = bootstrapKeyFile(stateDir);
  const unfinished = `${file}.tmp`;
  try {
    await rm(unfinished, { force: true });
    const handle = await open(unfinished, 'wx', 0o600);
    try {
      await handle.writeFile(`${formatApiKey(key)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
    await syncPath(stateDir);
  } catch (error) {
    throw new AtelierError(
      'state-unusable',
      `The hash of the key cannot be stored in ${file}: ${errorMessage(error)}. Check the free space and the permissions of the directory.`,
      { cause: error },
    );
  }
}
