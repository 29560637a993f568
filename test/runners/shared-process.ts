/** Tests that share a process, because a process per file would take longer to start and to compile the same modules. */
import { globSync } from 'node:fs';
import { join } from 'node:path';

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
  for (const file of folders.flatMap(fastTests)) await import(join(TESTS, file));
}
