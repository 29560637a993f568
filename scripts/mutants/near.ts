/** Finds the tests that are most likely to notice a change of a source file. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Tier = 'fast' | 'slow';

/** Files to try before all others are run. */
const MAX_NEAR = { fast: 12, slow: 6 };

/**
 * Finds the test of the file, then the tests of its folder, or of the nearest folder that has tests, then those that
 * import it in the fewest steps.
 * @param root the folder of `src`, `cli` and `test`; all paths are relative to it
 */
export function createFindNear(root: string) {
  const importers = new Map<string, string[]>();
  const files = globSync('{src,cli,test}/**/*.ts', { cwd: root });
  for (const file of files) {
    // Imports at the top or on demand, and files of threads. Imported types change nothing.
    const source = readFileSync(join(root, file), 'utf8').replaceAll(/^import type [^;]*;/gm, '');
    for (const [, path] of source.matchAll(/'(\.\.?\/[^']+\.ts)'/g)) {
      const imported = join(dirname(file), path!);
      importers.set(imported, [...(importers.get(imported) ?? []), file]);
    }
  }
  const tests = files
    .filter((file) => file.endsWith('.test.ts') && !file.startsWith('test/runners/'))
    .toSorted();

  return (file: string, tier: Tier): string[] => {
    const own = join('test', file.replace(/^src\//, '').replace(/\.ts$/, '.test.ts'));
    const ofTier = tests.filter((test) => test.endsWith('.slow.test.ts') === (tier === 'slow'));
    let folder = dirname(own);
    while (folder !== 'test' && !ofTier.some((test) => dirname(test) === folder)) folder = dirname(folder);
    // The tests in the root are about the whole project.
    const ofFolder = folder === 'test' ? [] : ofTier.filter((test) => dirname(test) === folder);
    // The loop also visits what it adds: by the number of steps.
    const found = new Set([file]);
    for (const each of found) for (const importer of importers.get(each) ?? []) found.add(importer);
    const importing = [...found].filter((each) => ofTier.includes(each));
    const sorted = [...ofFolder.filter((test) => test === own), ...ofFolder, ...importing];
    return [...new Set(sorted)].slice(0, MAX_NEAR[tier]);
  };
}
