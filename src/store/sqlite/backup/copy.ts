/** Copy of a backup whose database and files are verified. */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AtelierError } from '../../../errors.ts';
import { readChunks } from '../../blobs/chunks.ts';
import { writeVerified } from '../../blobs/content-addressed.ts';
import { errorMessage, isDiskFull, syncPath } from '../../blobs/directory.ts';
import { bootstrapKeyFile } from '../../bootstrap-key.ts';
import { KINDS } from '../unreferenced-files.ts';
import { copyDurably, DATABASE, listNamedFiles, rejectNewerSchema } from './files.ts';

const ADVICE = 'Use another backup.';

/**
 * Copies the database and the files that its rows name, durably.
 * @param target a directory that does not exist
 * @returns the number of files besides the database
 * @throws AtelierError `state-unusable` if a file is missing or damaged, or a newer version made the backup; an error of the file system
 */
export async function copyVerified(backup: string, target: string): Promise<number> {
  await mkdir(target, { mode: 0o700 });
  const database = join(target, DATABASE);
  await copyDurably(join(backup, DATABASE), database);
  await copyDurably(join(backup, `${DATABASE}-wal`), `${database}-wal`);
  const named = await verifyDatabase(database, join(backup, DATABASE));
  for (const kind of KINDS) await mkdir(join(target, kind), { mode: 0o700 });
  for (const [file, digest] of named) await copyFile(join(backup, file), join(target, file), digest);
  await copyDurably(bootstrapKeyFile(backup), bootstrapKeyFile(target));
  for (const directory of [...KINDS, '.']) await syncPath(join(target, directory));
  return named.size;
}

/** @returns the digest of each file that a row names, by its path */
async function verifyDatabase(copy: string, original: string): Promise<Map<string, string>> {
  try {
    assertIntact(copy);
    rejectNewerSchema(copy, original);
    return await listNamedFiles(copy);
  } catch (error) {
    if (isDiskFull(error) || error instanceof AtelierError) throw error;
    const message = `The database ${original} is damaged: ${errorMessage(error)}. ${ADVICE}`;
    throw new AtelierError('state-unusable', message, { cause: error });
  }
}

/** Includes a -wal file, and leaves one file. @throws Error if the database is damaged */
function assertIntact(database: string): void {
  using raw = new DatabaseSync(database);
  raw.exec('pragma synchronous = full; pragma journal_mode = delete');
  const [found] = Object.values(raw.prepare('pragma integrity_check(1)').get() ?? {});
  if (found !== 'ok') throw new Error(String(found));
  if (raw.prepare('pragma foreign_key_check').get()) throw new Error('a row refers to a missing row');
}

async function copyFile(source: string, target: string, digest: string): Promise<void> {
  const found = await stat(source).catch(() => undefined);
  if (!found?.isFile()) {
    const problem = found ? 'is not a file' : 'is missing';
    const message = `${source} ${problem}, and a row of the database names it. ${ADVICE}`;
    throw new AtelierError('state-unusable', message);
  }
  await writeVerified(digest, target, readChunks(source), `It is the file ${source}. ${ADVICE}`);
}
