/** Tests that share a process, because a process per file would take longer to start and to compile the same modules. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const TESTS = join(import.meta.dirname, '..');

/** Folders whose fast tests start no service. */
export const UNIT_FOLDERS = [
  'charts',
  'concurrency',
  'datasets',
  'domain',
  'formats',
  'images',
  'numerics',
  'page',
  'protocols',
  'store',
];
/** Folders whose fast tests start services, which end with the test or the process. */
export const SERVICE_FOLDERS = ['queue', 'services'];
export const ROUTE_FOLDERS = ['http/routes'];

export const fastTests = (folder: string) =>
  globSync(`${folder}/**/!(*.slow).test.ts`, { cwd: TESTS }).toSorted();

/** Runs the fast tests of the folders, one file after another. */
export async function runFolders(folders: readonly string[]): Promise<void> {
  const loaded = loadAll(folders.flatMap(fastTests));
  // Holds back all other tests. Node runs the hooks of `after` as soon as no test is left, which could be between two files.
  test('all files of this process are loaded', () => loaded);
  await loaded;
}

async function loadAll(files: readonly string[]): Promise<void> {
  for (const file of files) await import(join(TESTS, file));
}
