/** Files by digest, fetched on demand. The least recently used ones are removed. */
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { parseHex } from './content-addressed.ts';
import { openTemporaryFiles } from './temporary.ts';

interface Entry {
  /** 0 until the file is there. */
  bytes: number;
  users: number;
  readonly ready: Promise<void>;
}

const NAME = /^[0-9a-f]{64}$/;

/**
 * The directory must belong to one process. Files of an earlier process are used again.
 * @param options.maxBytes of all files that are not in use
 * @param options.copyTo writes a new file
 * @param options.isDamaged whether an error of `read` means that the file is damaged
 */
export async function openFileCache(options: {
  directory: string;
  maxBytes: number;
  copyTo: (digest: string, path: string) => Promise<void>;
  isDamaged: (error: unknown) => boolean;
}) {
  const { directory, maxBytes, copyTo, isDamaged } = options;
  const { newFile } = await openTemporaryFiles(directory);
  /** By the hexadecimal digits, in order of last use, the oldest first. */
  const entries = new Map<string, Entry>();
  const cachedPath = (hex: string) => join(directory, hex);
  /** A file is fetched after the removals that began before, because one of them may be of the same file. */
  let removals = Promise.resolve();

  function remove(hex: string): void {
    entries.delete(hex);
    removals = removals.then(() => rm(cachedPath(hex), { force: true })).catch(() => {});
  }

  async function removeUnused(): Promise<void> {
    let excess = entries.values().reduce((sum, { bytes }) => sum + bytes, 0) - maxBytes;
    for (const [hex, { bytes, users }] of [...entries]) {
      if (excess <= 0) break;
      if (users > 0) continue;
      remove(hex);
      excess -= bytes;
    }
    await removals;
  }

  async function fetchFile(hex: string): Promise<void> {
    await removals;
    const temporary = newFile();
    try {
      await copyTo(`sha256:${hex}`, temporary);
      await rename(temporary, cachedPath(hex));
    } finally {
      await rm(temporary, { force: true });
    }
  }

  function start(hex: string, prepare: Promise<void>): Entry {
    const entry: Entry = {
      bytes: 0,
      users: 0,
      ready: prepare.then(async () => {
        entry.bytes = (await stat(cachedPath(hex))).size;
      }),
    };
    entry.ready.catch(() => {
      if (entries.get(hex) === entry) entries.delete(hex);
    });
    return entry;
  }

  /** Marks the file as used last. */
  function use(hex: string, entry: Entry): void {
    entries.delete(hex);
    entries.set(hex, entry);
  }

  async function readOnce<T>(hex: string, read: (path: string) => Promise<T>): Promise<T> {
    const entry = entries.get(hex) ?? start(hex, fetchFile(hex));
    use(hex, entry);
    entry.users++;
    try {
      await entry.ready;
      const now = (performance.timeOrigin + performance.now()) / 1000;
      await utimes(cachedPath(hex), now, now).catch(() => {}); // the order of the next start is a little older then
      return await read(cachedPath(hex));
    } catch (error) {
      if (isDamaged(error) && entries.get(hex) === entry) remove(hex);
      throw error;
    } finally {
      entry.users--;
      await removeUnused();
    }
  }

  const left: { hex: string; bytes: number; usedAt: number }[] = [];
  for (const name of await readdir(directory)) {
    if (!NAME.test(name)) continue;
    const { size, mtimeMs } = await stat(cachedPath(name));
    left.push({ hex: name, bytes: size, usedAt: mtimeMs });
  }
  for (const { hex, bytes } of left.sort((a, b) => a.usedAt - b.usedAt)) {
    entries.set(hex, { bytes, users: 0, ready: Promise.resolve() });
  }
  await removeUnused();

  return {
    /** Path of a new temporary file. The next start removes it if it still exists. */
    newFile,
    /**
     * Fetches the file if it is not there, and keeps it while `read` runs. If `read` finds it damaged, fetches it again and
     * calls `read` once more.
     * @throws errors of `copyTo` and `read`
     */
    async withFile<T>(digest: string, read: (path: string) => Promise<T>) {
      const hex = parseHex(digest);
      try {
        return await readOnce(hex, read);
      } catch (error) {
        if (!isDamaged(error)) throw error;
        return readOnce(hex, read);
      }
    },
    /** Moves a file into the cache. */
    async add(digest: string, path: string) {
      const hex = parseHex(digest);
      const entry = start(
        hex,
        removals.then(() => rename(path, cachedPath(hex))),
      );
      use(hex, entry);
      entry.users++;
      await entry.ready.finally(() => entry.users--);
      await removeUnused();
    },
  };
}
