/** Tests that share a process, because a process per file compiles modules again. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** Limits of time for the tests of one fast and of one slow file. */
const FAST_FILE_MS = 300_000;
const SLOW_FILE_MS = 600_000;
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
  'scripts',
  'store',
];
/** Folders whose fast tests start services. A service ends with its test or file. */
export const SERVICE_FOLDERS = ['cli', 'queue', 'services', 'workers'];
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
  'http/validation',
];

/** Folders whose slow tests load the service or the store. Most other slow tests start the service as a process. */
export const SLOW_HTTP_FOLDERS = ['http'];
export const SLOW_SERVICE_FOLDERS = [
  'services/models',
  'services/replicas',
  'services/runs',
  'services/training',
];
export const SLOW_STORE_FOLDERS = ['queue', 'store'];
/**
 * Inside these folders, but in processes of their own: three listen to events of their process, one ends its threads, one sets
 * its clock, and two import tests of the store that a process can import once.
 */
const ALONE = [
  'services/runs/failing.slow.test.ts',
  'store/database/timestamps.slow.test.ts',
  'store/postgres/bytes.slow.test.ts',
  'store/postgres/icu.slow.test.ts',
  'workers/tasks/time-training.test.ts',
  'workers/threads/pool.test.ts',
  'workers/training/thread.test.ts',
];

const findTests = (pattern: string) => globSync(pattern, { cwd: TESTS }).toSorted();
export const fastTests = (folder: string) =>
  findTests(`${folder}/**/!(*.slow).test.ts`).filter((file) => !ALONE.includes(file));
export const slowTests = (folder: string) =>
  findTests(`${folder}/**/*.slow.test.ts`).filter((file) => !ALONE.includes(file));
export const SHARED_FAST_TESTS = [
  ...ROUTE_FOLDERS,
  ...SERVICE_FOLDERS,
  ...UNIT_FOLDERS,
  ...HTTP_FOLDERS,
].flatMap(fastTests);
export const SHARED_SLOW_TESTS = [
  ...SLOW_HTTP_FOLDERS,
  ...SLOW_SERVICE_FOLDERS,
  ...SLOW_STORE_FOLDERS,
].flatMap(slowTests);

/**
 * Runs the fast tests of the folders.
 * @param except folders inside the others that another process runs
 */
export function runFolders(folders: readonly string[], except: readonly string[] = []): void {
  const excepted = new Set(except.flatMap(fastTests));
  const files = folders.flatMap(fastTests).filter((file) => !excepted.has(file));
  runFiles(files, FAST_FILE_MS);
}

/** Runs the slow tests of the folders. */
export function runSlowFolders(folders: readonly string[]): void {
  runFiles(folders.flatMap(slowTests), SLOW_FILE_MS);
}

/**
 * Runs one file after another. Each file is a test, whose end calls the `after` hooks of the file. At the top level they
 * would be called once no test is left, although further files were still being imported.
 */
function runFiles(files: readonly string[], timeout: number): void {
  for (const file of files) test(`test/${file}`, { timeout }, () => import(join(TESTS, file)));
}
