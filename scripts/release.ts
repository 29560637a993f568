/**
 * Makes a release of the last commit, in a work tree: dates the changelog, sets the version, runs the checks and the fast
 * tests, writes the files into `release`, commits and tags. Without a change and with the tag, it only writes the files.
 * usage: npm run release -- VERSION [--dry-run]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writeArtifacts } from './release/artifacts.ts';
import { output, run } from './release/run.ts';
import { setVersion } from './release/version.ts';
import { addWorkTree, removeWorkTree } from './work-tree.ts';

const git = (...args: string[]) => output('.', 'git', ...args);

/** @returns whether the last commit has the tag. @throws Error if the release is impossible */
function checkStart(tag: string): boolean {
  if (git('status', '--porcelain') !== '') {
    throw new Error('The working tree is not clean. Commit or remove your changes first.');
  }
  if (git('branch', '--show-current') === '') throw new Error('Check out the branch of the release first.');
  if (git('tag', '--list', tag) === '') return false;
  if (git('rev-list', '-1', tag) === git('rev-parse', 'HEAD')) return true;
  throw new Error(`The tag ${tag} names another commit. Check it out, or choose another version.`);
}

/** @returns the commit of the release */
function makeCommit(tree: string, version: string): string {
  setVersion(tree, version, new Date().toISOString().slice(0, 10));
  run(tree, 'git', 'add', '--update');
  if (output(tree, 'git', 'status', '--porcelain', '--untracked-files=no') !== '') {
    run(tree, 'git', 'commit', '--quiet', '--message', `project: release ${version}`);
  }
  run(tree, 'npm', 'test');
  return output(tree, 'git', 'rev-parse', 'HEAD');
}

function release(version: string, dryRun: boolean): void {
  const tag = `v${version}`;
  const isTagged = checkStart(tag);
  const temporary = mkdtempSync(join(tmpdir(), 'atelier-release-'));
  const tree = join(temporary, 'tree');
  const folder = dryRun ? join(temporary, 'release') : resolve('release');
  addWorkTree(tree);
  try {
    const commit = isTagged ? git('rev-parse', 'HEAD') : makeCommit(tree, version);
    writeArtifacts(tree, version, folder);
    console.log(readFileSync(join(folder, 'SHA256SUMS'), 'utf8'));
    if (dryRun) {
      console.log(
        `Dry run: nothing was kept. The commit would change:\n${git('diff', '--stat', 'HEAD', commit)}`,
      );
      return;
    }
    run('.', 'git', 'merge', '--quiet', '--ff-only', commit);
    if (!isTagged) run('.', 'git', 'tag', '--annotate', tag, '--message', `Atelier ${version}`);
  } finally {
    removeWorkTree(tree);
    rmSync(temporary, { recursive: true });
  }
  const branch = git('branch', '--show-current');
  console.log(`The files are in ${folder}. To publish the release:\n`);
  console.log(`git push origin ${branch}\ngit push origin ${tag}`);
}

function main(): void {
  const options = { 'dry-run': { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const [version = ''] = positionals;
  if (positionals.length !== 1 || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error('Usage: npm run release -- VERSION [--dry-run], with a version such as 1.2.3.');
  }
  release(version, values['dry-run']);
}

try {
  main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
