/** The test files of each tier, for Node's test runner in the project folder. */
import { globSync } from 'node:fs';
import { ALONE } from '../page/groups.ts';
import { ROUTE_FOLDERS, SERVICE_FOLDERS, UNIT_FOLDERS } from './shared-process.ts';

export type Tier = 'fast' | 'slow' | 'page' | 'coverage';

/** The tests of these folders are run by files of `runners/`, in processes that several files share. */
const SHARED = [...UNIT_FOLDERS, ...SERVICE_FOLDERS, ...ROUTE_FOLDERS].map((folder) => `test/${folder}/`);

const isShared = (file: string) => SHARED.some((folder) => file.startsWith(folder));
const runsAlone = (file: string) => ALONE.some((name) => file === `test/page/${name}.slow.test.ts`);

export function testFiles(tier: Tier): string[] {
  const files = globSync('test/**/*.test.ts', { exclude: ['**/node_modules'] }).toSorted();
  const slow = files.filter((file) => file.endsWith('.slow.test.ts'));
  if (tier === 'page') return slow.filter((file) => file.startsWith('test/runners/page-'));
  if (tier === 'slow') {
    return slow.filter((file) => !file.startsWith('test/page/') || runsAlone(file));
  }
  return files.filter((file) => !slow.includes(file) && !isShared(file));
}
