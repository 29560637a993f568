/** Files of a backup: the database, and the files that its rows name. */
import { constants, existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { syncPath } from '../directory.ts';
import type { Database } from '../tables.ts';
import { NodeSqliteDialect } from './sqlite.ts';
import { KINDS, referencedFiles } from './unreferenced-files.ts';

export const DATABASE = 'atelier.sqlite';

/** @returns the digest of each file, by its path relative to the state directory */
export async function listNamedFiles(database: string): Promise<Map<string, string>> {
  const raw = new DatabaseSync(database, { readOnly: true });
  const db = new Kysely<Database>({ dialect: new NodeSqliteDialect(raw) });
  try {
    const files = new Map<string, string>();
    for (const kind of KINDS) {
      for (const [name, digest] of await referencedFiles(db, kind)) files.set(join(kind, name), digest);
    }
    return files;
  } finally {
    await db.destroy();
  }
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
