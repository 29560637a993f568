/** Backup: a consistent copy of a state directory, also while a service uses it. */
import { existsSync, statSync } from 'node:fs';
import { mkdir, realpath, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AtelierError } from '../../../errors.ts';
import { syncPath } from '../../blobs/directory.ts';
import { bootstrapKeyFile } from '../../bootstrap-key.ts';
import { toStateError } from '../errors.ts';
import { KINDS } from '../unreferenced-files.ts';
import { copyDurably, DATABASE, listNamedFiles, rejectNewerSchema } from './files.ts';

export interface Backup {
  /** Number of copied files besides the database. */
  readonly files: number;
  /** Files that rows name, but that are missing even in the state directory. */
  readonly missing: readonly string[];
}

/**
 * Copies the database, then the files that its rows name. If one of them has been deleted, replaces the copy of the
 * database by a newer one and copies the files that are new in it, until no file is missing.
 * @param target absolute path of a directory that does not exist yet, outside of the state directory
 * @throws AtelierError `state-unusable` if the database does not exist, cannot be read or is of a newer version, or if the
 * target cannot be created there
 */
export async function backUp(stateDir: string, target: string): Promise<Backup> {
  const database = join(stateDir, DATABASE);
  if (!existsSync(database)) {
    throw new AtelierError(
      'state-unusable',
      `${database} does not exist. Set STATE_DIR to the state directory.`,
    );
  }
  try {
    rejectNewerSchema(database);
  } catch (error) {
    throw error instanceof AtelierError ? error : toStateError(database, error);
  }
  await assertOutside(stateDir, target);
  await mkdir(target, { mode: 0o700 });
  await syncPath(dirname(target));
  for (const kind of KINDS) await mkdir(join(target, kind), { mode: 0o700 });
  const copied = new Set<string>();
  let missing = new Set<string>();
  for (let isComplete = false; !isComplete; ) {
    await copyDatabase(database, join(target, DATABASE));
    const named = new Set((await listNamedFiles(join(target, DATABASE))).keys());
    for (const file of copied.difference(named)) {
      await rm(join(target, file));
      copied.delete(file);
    }
    const before = missing;
    missing = new Set();
    for (const file of named.difference(copied)) {
      if (await copyDurably(join(stateDir, file), join(target, file))) copied.add(file);
      else missing.add(file);
    }
    // The row of a file is deleted before the file, so a file that is missing twice was not deleted in between.
    isComplete = missing.isSubsetOf(before);
  }
  await copyDurably(bootstrapKeyFile(stateDir), bootstrapKeyFile(target));
  for (const directory of [...KINDS, '.']) await syncPath(join(target, directory));
  return { files: copied.size, missing: [...missing] };
}

/** A copy within the state directory would be lost with it, and is a file that the service does not know. */
async function assertOutside(stateDir: string, target: string): Promise<void> {
  const parent = dirname(target);
  if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory()) {
    throw new AtelierError(
      'state-unusable',
      `${parent} is not an existing directory. Create it first, or choose another place for the backup.`,
    );
  }
  if (
    `${await realpath(parent)}${sep}`.startsWith(`${await realpath(stateDir)}${sep}`) &&
    !existsSync(target)
  ) {
    throw new AtelierError(
      'state-unusable',
      `${target} is inside the state directory ${stateDir}. Choose a directory outside of it.`,
    );
  }
}

/** Replaces `target` by the committed state of the database. Writers of other processes do not wait. */
async function copyDatabase(source: string, target: string): Promise<void> {
  await rm(target, { force: true });
  try {
    using raw = new DatabaseSync(source, { readOnly: true, timeout: 5_000 });
    raw.prepare('vacuum into ?').run(target);
  } catch (error) {
    throw toStateError(source, error);
  }
  await syncPath(target);
}
