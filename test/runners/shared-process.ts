/** Tests that share a process, because a process per file compiles modules again. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** Limit of time for the tests of one file. */
const FILE_LIMIT_MS = 300_000;
const TESTS = join(import.meta.dirname, '..');

/** Folders whose fast tests start no service. */
export const UNIT_FOLDERS = [
  'charts',
  'clients',
  'commands',
  'concurrency',
  'config',
  'datasets',
  'deploy',
  'docs',
  'domain',
  'formats',
  'images',
  'numerics',
  'page',
  'protocols',
  'scripts/mutants',
  'scripts/package',
  'scripts/release',
  'store',
  'workers/kernel',
];
/** Folders whose fast tests start services. A service ends with its test or file. */
export const SERVICE_FOLDERS = ['cli', 'queue', 'services'];
export const MODEL_FOLDERS = ['http/routes/models', 'http/routes/predictions'];
/** Without those above, in a process of their own, because all routes together would take as long as everything else. */
export const ROUTE_FOLDERS = ['http/routes'];
/** Without `http/hooks/overload`, whose tests depend on the event loop and the memory of the process. */
export const HTTP_FOLDERS = [
  'http/bodies',
  'http/conditional',
  'http/errors',
  'http/hooks/access',
  'http/hooks/connections',
  'http/hooks/lifecycle',
  'http/metrics',
  'http/openapi',
  'http/responses',
];
export const SHARED_FOLDERS = [...ROUTE_FOLDERS, ...SERVICE_FOLDERS, ...UNIT_FOLDERS, ...HTTP_FOLDERS];

export const fastTests = (folder: string) =>
  globSync(`${folder}/**/!(*.slow).test.ts`, { cwd: TESTS }).toSorted();

/**
 * Runs the fast tests of the folders, one file after another. Each file is a test, whose end calls the `after` hooks of the
 * file. At the top level they would be called once no test is left, although further files were still being imported.
 * @param except folders inside the others that another process runs
 */
export function runFolders(folders: readonly string[], except: readonly string[] = []): void {
  const excepted = new Set(except.flatMap(fastTests));
  for (const file of folders.flatMap(fastTests).filter((each) => !excepted.has(each))) {
    test(`test/${file}`, { timeout: FILE_LIMIT_MS }, () => import(join(TESTS, file)));
  }
}
