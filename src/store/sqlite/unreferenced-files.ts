/** Removes or moves away files without a row, and rejects files without a database. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { AtelierError } from '../../errors.ts';
import { syncPath } from '../blobs/directory.ts';
import { createMarks, listMarked } from '../blobs/marks.ts';
import { type Kind, referencesOf } from '../blobs/references.ts';
import type { Database } from '../database/tables.ts';

/** Directories of the files that rows refer to, with the names of such files. Other files there are left alone. */
const DIGITS = /^[0-9a-f]{64}$/;
export const FILE_NAMES: Readonly<Record<Kind, RegExp>> = {
  blobs: DIGITS,
  checkpoints: DIGITS,
  datasets: /^dst_\w+$/,
  predictions: DIGITS,
};
export const KINDS = Object.keys(FILE_NAMES) as Kind[];

/** Folder into which a backup is restored before its files are moved into place. */
export const UNFINISHED_RESTORE = 'unfinished-restore';

/** Whether a row refers to the file. */
export async function isReferenced(db: Kysely<Database>, kind: Kind, digest: string): Promise<boolean> {
  for (const { table, column } of referencesOf(kind)) {
    const rows = db.selectFrom(table).select('digest').where(sql.ref(column), '=', digest);
    if ((await rows.limit(1).executeTakeFirst()) !== undefined) return true;
  }
  return false;
}

/** A file may be this much newer than its time: some file systems round to 2 s (FAT), the others to a tick of the kernel. */
const [COARSE_MS, FINE_MS] = [2_000, 10];

/**
 * Call before a missing database is created: with a new one, every file would have no row.
 * @throws AtelierError `state-unusable` if the database is missing but files of an earlier one or of an unfinished restore exist
 */
export async function rejectFilesWithoutDatabase(directory: string, database: string): Promise<void> {
  if (existsSync(database)) return;
  if (existsSync(join(directory, UNFINISHED_RESTORE))) {
    throw new AtelierError(
      'state-unusable',
      `The state directory ${directory} holds an unfinished restore. Repeat npx atelier restore, or empty the directory.`,
    );
  }
  const found: string[] = [];
  for (const kind of KINDS) {
    const { length } = await listFiles(directory, kind);
    if (length > 0) found.push(`${kind} (${length})`);
  }
  if (found.length === 0) return;
  throw new AtelierError(
    'state-unusable',
    `The database ${database} is missing, but files of an earlier one exist in ${found.join(', ')}. ` +
      `Restore the database from a backup, or move the state directory ${directory} away to start empty.`,
  );
}

/**
 * Files without a row are left over from a killed process if they have a mark, because their row was not written yet, or if they
 * are older than the last entry of the database, because their row was already deleted. They are removed. Others may belong
 * to a newer database, in whose place an older one was restored, so they are moved to `lost+found`.
 * @param lastEntry time of the newest row; empty without rows
 * @param warn called with advice for each directory from which files were moved
 */
export async function sweepUnreferencedFiles(
  db: Kysely<Database>,
  directory: string,
  lastEntry: string,
  warn: (message: string) => void,
): Promise<void> {
  for (const kind of KINDS) {
    const source = join(directory, kind);
    if (!existsSync(source)) continue;
    const referenced = await referencedFiles(db, kind);
    const marks = createMarks(source);
    const marked = await listMarked(source);
    const names = (await listFiles(directory, kind)).filter((name) => !referenced.has(name));
    const target = join(directory, 'lost+found', kind);
    let moved = 0;
    for (const name of names) {
      const { mtimeMs } = await stat(join(source, name));
      const granularity = mtimeMs % 1000 === 0 ? COARSE_MS : FINE_MS;
      if (marked.has(name) || mtimeMs + granularity < Date.parse(lastEntry)) {
        await rm(join(source, name));
        continue;
      }
      await mkdir(target, { recursive: true });
      await rename(join(source, name), join(target, name));
      moved += 1;
    }
    for (const name of marked) await marks.remove(name);
    if (moved === 0) continue;
    await syncPath(target);
    await syncPath(source);
    warn(
      `Files in ${source} without a row in the database are newer than its last entry. Moved to ${target}: ` +
        `${moved}. ` +
        'If an older database was restored by mistake, stop the service, restore the newer database and ' +
        'move the files back. If not, delete them.',
    );
  }
}

async function listFiles(directory: string, kind: Kind): Promise<string[]> {
  const source = join(directory, kind);
  if (!existsSync(source)) return [];
  const entries = await readdir(source, { withFileTypes: true });
  return entries.flatMap((entry) =>
    entry.isFile() && FILE_NAMES[kind].test(entry.name) ? [entry.name] : [],
  );
}

/** The digest of each file that rows refer to, by the name of the file. The schema may be an earlier one. */
export async function referencedFiles(
  db: Kysely<Database>,
  kind: Kind,
): Promise<ReadonlyMap<string, string>> {
  if (kind === 'datasets') {
    const rows = await db.selectFrom('datasets').select(['id', 'digest']).execute();
    return new Map(rows.map(({ id, digest }) => [id, digest]));
  }
  const tables = await db.introspection.getTables();
  const files = new Map<string, string>();
  for (const { table, column } of referencesOf(kind)) {
    const columns = tables.find(({ name }) => name === table)?.columns ?? [];
    if (!columns.some(({ name }) => name === column)) continue;
    const rows = db.selectFrom(table).select(sql.ref<string>(column).as('named'));
    for (const { named } of await rows.where(sql.ref(column), 'is not', null).execute()) {
      files.set(named.replace('sha256:', ''), named);
    }
  }
  return files;
}
