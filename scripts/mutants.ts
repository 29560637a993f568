/**
 * usage: npm run mutants -- [--sample 20] [--seed 1] [--slow]
 * Prints what notices each mutant of src and cli: the types, a fast test or, with --slow, a slow test of its folder.
 * Works in two work trees of the last commit. A run of more than half an hour counts as a failure.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { drawMutants, type Mutant } from './mutants/draw.ts';
import { addWorkTree, removeWorkTree } from './work-tree.ts';

const { values } = parseArgs({
  options: { sample: { type: 'string' }, seed: { type: 'string' }, slow: { type: 'boolean' } },
});
type Tier = 'fast' | 'slow';
const folder = mkdtempSync(join(tmpdir(), 'atelier-mutants-'));
const trees = [join(folder, 'a'), join(folder, 'b')] as const;
const interruption = new AbortController();
process.once('SIGINT', () => interruption.abort()).once('SIGTERM', () => interruption.abort());
const noticedBy: string[] = [];
function report({ title }: Mutant, noticed: string): void {
  noticedBy.push(noticed.split(':')[0]!);
  console.log(`${title} | ${noticed}`.replaceAll(/\s+/g, ' '));
}

function write(tree: string, mutants: readonly Mutant[]): void {
  for (const { file, mutated } of mutants) writeFileSync(join(tree, file), mutated);
}
function restore(tree: string, mutants: readonly Mutant[]): void {
  for (const { file, original } of mutants) writeFileSync(join(tree, file), original);
}

/**
 * @param files all of the tier if there are none
 * @returns the first line about a failure, undefined without one, and the files whose tests have failed
 */
async function runTests(cwd: string, tier: Tier, files: readonly string[], stopsAtFailure: boolean) {
  const command = ['--kill-after=9', '30m', process.execPath, 'test/runners/run.ts', tier, ...files];
  const env = { ...process.env, TMPDIR: folder, NO_COLOR: '1' };
  const child = spawn('timeout', command, { cwd, env, signal: interruption.signal });
  const failing = new Set<string>();
  let failure: string | undefined;
  child.stderr.resume();
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (/^ *✖ /.test(line)) {
      failure ??= line.trim();
      if (stopsAtFailure) child.kill();
    }
    const [, file] = /^test at (\S+):\d+:\d+$/.exec(line) ?? [];
    if (file !== undefined) failing.add(file);
  });
  const [code] = await once(child, 'exit');
  return { failure: code === 0 ? failure : (failure ?? `exit code ${code}`), failing: [...failing] };
}

/** Tries each mutant alone, two at a time, until a test fails. Returns those that no test notices. */
async function tryAlone(mutants: readonly Mutant[], tier: Tier, findTests: (mutant: Mutant) => string[]) {
  const waiting = [...mutants];
  const unnoticed: Mutant[] = [];
  const tryWaiting = async (tree: string) => {
    for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
      const files = findTests(mutant);
      write(tree, [mutant]);
      const { failure } = files.length > 0 ? await runTests(tree, tier, files, true) : {};
      restore(tree, [mutant]);
      if (failure === undefined) unnoticed.push(mutant);
      else report(mutant, `${tier}: ${failure}`);
    }
  };
  await Promise.all(trees.map(tryWaiting));
  return unnoticed;
}

/**
 * Tries all mutants in one run of the tier, because it takes minutes, then each alone with the files whose tests have
 * failed. Repeats that until none fails, or no mutant alone makes one fail.
 */
async function tryTogether(mutants: readonly Mutant[], tier: Tier): Promise<readonly Mutant[]> {
  if (mutants.length === 0) return mutants;
  write(trees[0], mutants);
  const { failure, failing } = await runTests(trees[0], tier, [], false);
  restore(trees[0], mutants);
  if (failure === undefined) return mutants;
  const unnoticed = await tryAlone(mutants, tier, () => failing);
  return unnoticed.length < mutants.length ? tryTogether(unnoticed, tier) : mutants;
}

/** The test of the file first, then those of its folder, or of the nearest folder that has tests. */
function findNear({ file }: Mutant, tier: Tier): string[] {
  const own = join('test', file.replace('src/', '').replace('.ts', '.test.ts'));
  let near = dirname(own);
  while (!existsSync(join(trees[0], near))) near = dirname(near);
  // The tests in the root are about the whole project.
  if (near === 'test') return [];
  const found = globSync(`${near}/*.test.ts`, { cwd: trees[0] });
  const ofTier = found.filter((each) => each.endsWith('.slow.test.ts') === (tier === 'slow'));
  return ofTier.toSorted((one, other) => Number(other === own) - Number(one === own));
}

try {
  chmodSync(folder, 0o755); // the PostgreSQL server of the tests runs as another user
  for (const tree of trees) addWorkTree(tree);
  // The tests use the compiled kernel.
  const files = globSync('{src,cli}/**/*.ts', { cwd: trees[0], exclude: ['**/assembly/*'] }).toSorted();
  const mutants = drawMutants(trees[0], files, Number(values.sample ?? 20), values.seed ?? '1');
  write(trees[0], mutants);
  const { stdout } = spawnSync('node_modules/.bin/tsc', ['-p', '.'], { cwd: trees[0], encoding: 'utf8' });
  restore(trees[0], mutants);
  const isTyped = ({ file }: Mutant) => !stdout.includes(`${file}(`);
  for (const mutant of mutants) if (!isTyped(mutant)) report(mutant, 'types');
  let unnoticed: readonly Mutant[] = mutants.filter(isTyped);
  unnoticed = await tryAlone(unnoticed, 'fast', (mutant) => findNear(mutant, 'fast'));
  unnoticed = await tryTogether(unnoticed, 'fast');
  if (values.slow) unnoticed = await tryAlone(unnoticed, 'slow', (mutant) => findNear(mutant, 'slow'));
  for (const mutant of unnoticed) report(mutant, 'survived');
  for (const [tier, all] of Map.groupBy(noticedBy, (each) => each)) console.log(`${all.length} ${tier}`);
} finally {
  for (const tree of trees) removeWorkTree(tree);
  rmSync(folder, { recursive: true, force: true });
}
