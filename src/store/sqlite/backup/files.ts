/** Files of a backup: the database, and the files that its rows name. */
import { constants, existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { syncPath } from '../../blobs/directory.ts';
import type { Database } from '../../database/tables.ts';
import { createDialect } from '../dialect.ts';
import { readMigrations } from '../prepare/database.ts';
import { FILE_NAMES, KINDS, referencedFiles } from '../unreferenced-files.ts';

export const DATABASE = 'atelier.sqlite';

/**
 * A newer version may have kinds of files that this one would leave out.
 * @param name path of the database in the error
 * @throws AtelierError `state-unusable` if a newer version wrote the database; an Error of SQLite
 */
export function rejectNewerSchema(database: string, name = database): void {
  using raw = new DatabaseSync(database, { readOnly: true, timeout: 5_000 });
  readMigrations(raw, name, undefined, 'Use the command of that version.');
}

/**
 * Reads a database of this or an earlier schema.
 * @returns the digest of each file, by its path relative to the state directory
 * @throws Error if the database is damaged, or names a file that no version of Atelier would write
 */
export async function listNamedFiles(database: string): Promise<Map<string, string>> {
  const raw = new DatabaseSync(database, { readOnly: true });
  await using db = new Kysely<Database>({ dialect: createDialect(raw) });
  const files = new Map<string, string>();
  for (const kind of KINDS) {
    for (const [name, digest] of await referencedFiles(db, kind)) {
      // Such a path could leave the directory.
      if (!FILE_NAMES[kind].test(name)) throw new Error(`the database names the file ${name} in ${kind}`);
      files.set(join(kind, name), digest);
    }
  }
  return files;
}

/** @returns false if the source does not exist */
export async function copyDurably(source: string, target: string): Promise<boolean> {
  try {
    await copyFile(source, target, constants.COPYFILE_FICLONE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync(source)) return false;
    throw error;
  }
  await syncPath(target);
  return true;
}
