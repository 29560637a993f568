/** Sizes of the state directory and of its disk. */
import type { Dirent } from 'node:fs';
import { lstat, opendir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { createMeasurement } from '../database/background-measurement.ts';

/** Kinds of files in a state directory. With a shared database, it holds only a cache and temporary files. */
export const STATE_KINDS = [
  'database',
  'models',
  'checkpoints',
  'datasets',
  'predictions',
  'reserve',
  'cache',
  'temporary',
  'other',
] as const;
export type StateKind = (typeof STATE_KINDS)[number];

export interface KindSize {
  readonly bytes: number;
  /** Number of files, blobs or rows. */
  readonly count: number;
}

export interface StateSizes {
  /** Bytes of the disk that are free for this process. */
  readonly free: number;
  /** Bytes of the disk. */
  readonly capacity: number;
  /** Files by kind, as of the last measurement; null before the first one has ended, or if it failed. */
  readonly used: Readonly<Record<StateKind, KindSize>> | null;
  readonly measuredAt: Date | null;
}

/** @param patienceMs time to wait for a measurement */
export type ReadStateSizes = (patienceMs?: number) => Promise<StateSizes>;

/** @param minIntervalMs shortest time between two measurements */
export function createStateSizes(directory: string, minIntervalMs?: number): ReadStateSizes {
  const read = createMeasurement(() => measureKinds(directory), minIntervalMs);
  return async (patienceMs) => {
    // A file that cannot be read must not hide the free space.
    const measurement = await read(patienceMs);
    const { bsize, bavail, blocks } = await statfs(directory);
    return {
      free: bavail * bsize,
      capacity: blocks * bsize,
      used: measurement?.value ?? null,
      measuredAt: measurement?.at ?? null,
    };
  };
}

async function measureKinds(directory: string): Promise<Record<StateKind, KindSize>> {
  const used = Object.fromEntries(STATE_KINDS.map((kind) => [kind, { bytes: 0, count: 0 }])) as Record<
    StateKind,
    { bytes: number; count: number }
  >;
  for await (const entry of await opendir(directory)) await add(entry, used[classify(entry)]);
  return used;
}

function classify({ name }: Dirent): StateKind {
  // With its write-ahead log, and copies from before migrations.
  if (/^(atelier|before-\d{4})\.sqlite/.test(name)) return 'database';
  if (name === 'blobs') return 'models';
  return STATE_KINDS.find((kind) => kind === name) ?? 'other';
}

/** Adds a file, or a directory's files. They are read one at a time to leave the other threads of libuv to requests. */
async function add(entry: Dirent, sum: { bytes: number; count: number }): Promise<void> {
  const path = join(entry.parentPath, entry.name);
  try {
    if (entry.isDirectory()) {
      for await (const inner of await opendir(path)) await add(inner, sum);
      return;
    }
    sum.bytes += (await lstat(path)).size;
    sum.count += 1;
  } catch (error) {
    // Removed since it was listed.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
