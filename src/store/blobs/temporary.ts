/** Temporary files on the disk of the state directory, removed by the next start if a process is killed. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const SUFFIX = '.tmp';

export interface TemporaryFiles {
  /** Path of a new file. The caller removes it. */
  newFile(): string;
}

/**
 * Creates the directory if it does not exist. The caller must hold the lock of the state directory, because temporary files of
 * another process are removed.
 */
export async function openTemporaryFiles(directory: string): Promise<TemporaryFiles> {
  await mkdir(directory, { recursive: true });
  const names = (await readdir(directory)).filter((name) => name.endsWith(SUFFIX));
  await Promise.all(names.map((name) => rm(join(directory, name), { force: true })));
  return { newFile: () => join(directory, `${randomUUID()}${SUFFIX}`) };
}
