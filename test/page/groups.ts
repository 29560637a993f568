/** Groups of test files of the page. Each group shares a process and a browser. */
import { globSync } from 'node:fs';
import { join } from 'node:path';

const SUFFIX = '.slow.test.ts';
/** Groups that take about as long as each other. The last group has all other files. */
const GROUPS = [
  ['accessibility', 'check'],
  ['search', 'models', 'jobs'],
  ['train', 'away', 'data'],
];

/** Tests of the delivery of the page's files and of Firefox, which run alone. */
export const ALONE = ['firefox', 'loading'];

export async function runGroup(group: number): Promise<void> {
  const all = globSync(`!(${ALONE.join('|')})${SUFFIX}`, { cwd: import.meta.dirname }).toSorted();
  const others = all.filter((file) => !GROUPS.flat().includes(file.replace(SUFFIX, '')));
  const files = GROUPS[group]?.map((name) => `${name}${SUFFIX}`) ?? others;
  for (const file of files) await import(join(import.meta.dirname, file));
}
