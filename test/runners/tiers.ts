/** The test files of each tier, for Node's test runner in the project folder. */
import { globSync } from 'node:fs';
import { ALONE } from '../page/groups.ts';
import { SHARED_FAST_TESTS, SHARED_SLOW_TESTS } from './shared-process.ts';

export type Tier = 'fast' | 'slow' | 'page' | 'coverage';

/** Tests that files of `runners/` run, in processes that several files share. */
const shared = new Set([...SHARED_FAST_TESTS, ...SHARED_SLOW_TESTS].map((file) => `test/${file}`));

const runsAlone = (file: string) => ALONE.some((name) => file === `test/page/${name}.slow.test.ts`);

/** In the order in which they are started: those with the tests of many files first, because the last one to end runs alone. */
export function testFiles(tier: Tier): string[] {
  const all = globSync('test/**/*.test.ts', { exclude: ['**/node_modules'] }).toSorted();
  const isRunner = (file: string) => file.startsWith('test/runners/');
  const files = [...all.filter(isRunner), ...all.filter((file) => !isRunner(file))];
  const slow = files.filter((file) => file.endsWith('.slow.test.ts'));
  if (tier === 'page') return slow.filter((file) => file.startsWith('test/runners/page-'));
  if (tier === 'slow') {
    return slow.filter((file) => (!file.startsWith('test/page/') || runsAlone(file)) && !shared.has(file));
  }
  return files.filter((file) => !slow.includes(file) && !shared.has(file));
}
