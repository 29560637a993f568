/** A copy of the database before its schema changes, for the earlier version of Atelier. */
import { readdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { AtelierError } from '../../../errors.ts';
import { syncPath } from '../../blobs/directory.ts';

/** The newest copies are kept, the others removed. */
const KEPT = 2;
const COPY = /^before-\d{4}\.sqlite$/;

/**
 * Copies the committed state of the database to `before-0022.sqlite` beside it, where 0022 is the first migration that
 * follows. A copy of that name is replaced.
 * @param raw a connection to `file`
 * @param migration name of the first migration that follows, such as `0022-searches`
 * @param free bytes of the disk that are free for this process
 * @returns the path of the copy
 * @throws AtelierError `storage-full` if the disk does not have enough space; an Error of SQLite
 */
export async function copyBeforeMigration(
  raw: DatabaseSync,
  file: string,
  migration: string,
  free = freeBytes(dirname(file)),
): Promise<string> {
  const directory = dirname(file);
  const copy = join(directory, `before-${migration.slice(0, 4)}.sqlite`);
  const needed = databaseBytes(raw);
  if (needed > free) {
    throw new AtelierError(
      'storage-full',
      `Before the database ${file} gets the schema of this version, it is copied to ${copy}. The copy needs ${needed} bytes, but ` +
        `the disk has ${free} bytes free. Free some space and start again. The database has not been changed.`,
    );
  }
  const unfinished = `${copy}.tmp`;
  rmSync(unfinished, { force: true });
  try {
    raw.prepare('vacuum into ?').run(unfinished);
    await syncPath(unfinished);
    renameSync(unfinished, copy);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
  await syncPath(directory);
  const copies = readdirSync(directory).filter((name) => COPY.test(name));
  for (const old of copies.toSorted().slice(0, -KEPT)) rmSync(join(directory, old));
  return copy;
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/** An upper bound of the size of the copy: it has no unused pages. */
function databaseBytes(raw: DatabaseSync): number {
  const read = (name: string) => Number(Object.values(raw.prepare(`pragma ${name}`).get()!)[0]);
  return read('page_count') * read('page_size');
}
