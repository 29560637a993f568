/** Sizes of the state directory and of its disk, for metrics. */
import type { Dirent } from 'node:fs';
import { lstat, opendir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Kinds of files in a state directory. With a shared database, it holds only a cache and temporary files. */
export const STATE_KINDS = [
  'database',
  'models',
  'checkpoints',
  'datasets',
  'reserve',
  'cache',
  'temporary',
  'other',
] as const;
export type StateKind = (typeof STATE_KINDS)[number];

export interface StateSizes {
  /** Bytes of the disk that are free for this process. */
  readonly free: number;
  /** Bytes of the disk. */
  readonly capacity: number;
  /** Bytes of the files by kind, as of the last measurement; null before the first one has ended, or if it failed. */
  readonly used: Readonly<Record<StateKind, number>> | null;
}

export type ReadStateSizes = () => Promise<StateSizes>;

/** Measuring takes at most this fraction of the time, because a directory may hold a hundred thousand checkpoints. */
const MEASURED_FRACTION = 0.01;
const MIN_INTERVAL_MS = 10_000;
/** Time that a call waits for a measurement; a directory with a few thousand files takes less. */
const PATIENCE_MS = 200;

/** @param minIntervalMs shortest time between two measurements */
export function createStateSizes(directory: string, minIntervalMs = MIN_INTERVAL_MS): ReadStateSizes {
  let used: StateSizes['used'] = null;
  let measuring: Promise<void> | undefined;
  let nextAt = Number.NEGATIVE_INFINITY;

  async function measure(): Promise<void> {
    const startedAt = performance.now();
    // A file that cannot be read must not hide the free space.
    used = await measureKinds(directory).catch(() => null);
    const endedAt = performance.now();
    nextAt = endedAt + Math.max(minIntervalMs, (endedAt - startedAt) / MEASURED_FRACTION);
  }

  return async () => {
    if (performance.now() >= nextAt) {
      measuring ??= measure().finally(() => {
        measuring = undefined;
      });
      await Promise.race([measuring, wait(PATIENCE_MS, undefined, { ref: false })]);
    }
    const { bsize, bavail, blocks } = await statfs(directory);
    return { free: bavail * bsize, capacity: blocks * bsize, used };
  };
}

async function measureKinds(directory: string): Promise<Record<StateKind, number>> {
  const used = Object.fromEntries(STATE_KINDS.map((kind) => [kind, 0])) as Record<StateKind, number>;
  for await (const entry of await opendir(directory)) used[kindOf(entry)] += await entryBytes(entry);
  return used;
}

function kindOf({ name }: Dirent): StateKind {
  if (name.startsWith('atelier.sqlite')) return 'database';
  if (name === 'blobs') return 'models';
  return STATE_KINDS.find((kind) => kind === name) ?? 'other';
}

/** Files are read one at a time, which leaves the other threads of libuv to requests. */
async function entryBytes(entry: Dirent): Promise<number> {
  const path = join(entry.parentPath, entry.name);
  try {
    if (!entry.isDirectory()) return (await lstat(path)).size;
    let bytes = 0;
    for await (const inner of await opendir(path)) bytes += await entryBytes(inner);
    return bytes;
  } catch (error) {
    // Removed since it was listed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
