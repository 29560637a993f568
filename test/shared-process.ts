/** Tests that share a process, because a process per file would take longer to start and to compile the same modules. */
import { globSync } from 'node:fs';
import { join } from 'node:path';

/** Folders whose fast tests start no service. */
export const UNIT_FOLDERS = ['datasets', 'domain', 'formats', 'numerics', 'page', 'protocols', 'store'];
/** Folders whose fast tests start services, which end with the test or the process. */
export const SERVICE_FOLDERS = ['queue', 'services'];
export const ROUTE_FOLDERS = ['http/routes'];

/** Runs the fast tests of the folders, one file after another. */
export async function runFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const files = globSync(`${folder}/**/!(*.slow).test.ts`, { cwd: import.meta.dirname });
    for (const file of files.toSorted()) await import(join(import.meta.dirname, file));
  }
}
