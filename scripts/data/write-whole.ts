/** Atomic file writes: a file exists completely or not at all, even after a crash. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const PARTIAL = /^\.fashion_mnist_.*\.partial\.npy$/;
const ABANDONED_AFTER_MS = 10 * 60_000;

export async function writeWhole(path: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true });
  await removeAbandoned(directory);
  // A unique name, because two processes may fill one folder at the same time.
  const partial = join(directory, `.${basename(path, '.npy')}.${randomUUID()}.partial.npy`);
  try {
    const file = await open(partial, 'wx');
    try {
      await file.writeFile(bytes, { signal });
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await using folder = await open(directory);
  await folder.sync();
}

/** Removes old temporary files of killed processes; younger ones may still be in use. */
async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!PARTIAL.test(name)) continue;
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
  }
}
