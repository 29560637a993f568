/** Marks of files whose row is about to be stored. A file with a mark and without a row was left by a killed process. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const SUFFIX = '.unstored';

/** A mark that cannot be written is left out: the next start then treats a file without a row as one of a newer database. */
export interface Marks {
  /** Call it before the file appears under its name. */
  add(name: string): Promise<void>;
  /** Call it when the row is stored, or the file is removed. */
  remove(name: string): Promise<void>;
}

export function createMarks(directory: string): Marks {
  const path = (name: string) => join(directory, name + SUFFIX);
  return {
    add: (name) => writeFile(path(name), '').catch(() => {}),
    remove: (name) => rm(path(name)).catch(() => {}),
  };
}

/** Names of the files with a mark. */
export async function listMarked(directory: string): Promise<ReadonlySet<string>> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(SUFFIX));
  return new Set(names.map((name) => name.slice(0, -SUFFIX.length)));
}
