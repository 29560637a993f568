/**
 * usage: npm run mutants -- [--sample 20] [--seed 1] [--slow]
 * Prints what notices each mutant of src and cli: the types, a fast test or, with --slow, one of the nearest slow tests.
 * Works in two work trees of the last commit. A run of tests that exceeds its limit of time counts as a failure.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { drawMutants, type Mutant } from './mutants/draw.ts';
import { createFindNear, type Tier } from './mutants/near.ts';
import { addWorkTree, removeWorkTree } from './work-tree.ts';

const { values } = parseArgs({
  options: { sample: { type: 'string' }, seed: { type: 'string' }, slow: { type: 'boolean' } },
});
/** Limits for the tests near one mutant, and for all fast tests, which take a third of it on two cores. */
const [NEAR_LIMIT, ALL_LIMIT] = ['4m', '8m'];
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
 * @returns the first failure, undefined without one, and the files whose tests have failed
 */
async function runTests(cwd: string, tier: Tier, files: readonly string[], stopsAtFailure: boolean) {
  const limit = files.length > 0 ? NEAR_LIMIT : ALL_LIMIT;
  const command = ['--kill-after=9', limit, process.execPath, 'test/runners/run.ts', tier, ...files];
  const child = spawn('timeout', command, { cwd, env: { ...process.env, TMPDIR: folder } });
  const stop = () => child.kill();
  interruption.signal.addEventListener('abort', stop);
  const failing = new Set<string>();
  let failure: string | undefined;
  child.stdout.resume();
  const lines = createInterface({ input: child.stderr }).on('line', (line) => {
    const [, path, title] = /^✖ (\/\S+\.test\.ts): (.*)$/.exec(line) ?? [];
    if (path === undefined) return;
    failure ??= title;
    failing.add(relative(cwd, path));
    if (stopsAtFailure) stop();
  });
  const closed = once(lines, 'close');
  const [code, signal] = await once(child, 'exit');
  // `timeout` leads a group of processes. What the tests have left of it may hold stderr open.
  spawnSync('kill', ['-KILL', '--', `-${child.pid}`]);
  await closed;
  interruption.signal.removeEventListener('abort', stop);
  interruption.signal.throwIfAborted();
  const isLate = code === 124 || signal === 'SIGKILL';
  if (isLate) failure ??= `the tests take more than ${limit}`;
  if (code !== 0) failure ??= `exit code ${code}`;
  return { failure, failing: [...failing], isLate };
}

/** Returns the failure of the files with the mutant. One that does not recur, or occurs without the mutant, is none. */
async function findFailure(tree: string, mutant: Mutant, tier: Tier, files: readonly string[]) {
  write(tree, [mutant]);
  const { failure, failing } = await runTests(tree, tier, files, true);
  const recurs = failing.length === 0 || (await runTests(tree, tier, failing, true)).failure !== undefined;
  restore(tree, [mutant]);
  if (failure === undefined || !recurs) return undefined;
  const without = await runTests(tree, tier, failing.length > 0 ? failing : files, true);
  return without.failure === undefined ? failure : undefined;
}

/** Tries each mutant alone, two at a time, until a test fails. Returns those that no test notices. */
async function tryAlone(mutants: readonly Mutant[], tier: Tier, findTests: (mutant: Mutant) => string[]) {
  const waiting = [...mutants];
  const unnoticed: Mutant[] = [];
  const tryWaiting = async (tree: string) => {
    for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
      const files = findTests(mutant);
      const failure = files.length > 0 ? await findFailure(tree, mutant, tier, files) : undefined;
      if (failure === undefined) unnoticed.push(mutant);
      else report(mutant, `${tier}: ${failure}`);
    }
  };
  await Promise.all(trees.map(tryWaiting));
  return unnoticed;
}

/**
 * Tries all mutants in one run of all fast tests, because it takes minutes, then each alone with the files whose tests
 * have failed. Repeats that until none is noticed. Halves the mutants if the run exceeds its limit: one of them hangs.
 */
async function tryTogether(mutants: readonly Mutant[]): Promise<readonly Mutant[]> {
  if (mutants.length === 0) return mutants;
  write(trees[0], mutants);
  const { failure, failing: failed, isLate } = await runTests(trees[0], 'fast', [], false);
  restore(trees[0], mutants);
  if (failure === undefined) return mutants;
  // A file that also fails without mutants would hide all others.
  const broken = failed.length > 0 ? (await runTests(trees[0], 'fast', failed, false)).failing : [];
  const failing = failed.filter((file) => !broken.includes(file));
  const unnoticed = failing.length > 0 ? await tryAlone(mutants, 'fast', () => failing) : mutants;
  if (unnoticed.length < mutants.length) return tryTogether(unnoticed);
  if (failed.length > 0 && !isLate) return mutants;
  const isBusy = isLate && (await runTests(trees[0], 'fast', [], false)).isLate;
  if (isBusy) throw new Error(`All fast tests take more than ${ALL_LIMIT}, also without mutants.`);
  if (mutants.length === 1) {
    report(mutants[0]!, `fast: ${failure}`);
    return [];
  }
  const half = Math.ceil(mutants.length / 2);
  return [...(await tryTogether(mutants.slice(0, half))), ...(await tryTogether(mutants.slice(half)))];
}

try {
  chmodSync(folder, 0o755); // the PostgreSQL server of the tests runs as another user
  for (const tree of trees) addWorkTree(tree);
  // The tests use the compiled kernel.
  const files = globSync('{src,cli}/**/*.ts', { cwd: trees[0], exclude: ['**/assembly/*'] }).toSorted();
  const mutants = drawMutants(trees[0], files, Number(values.sample ?? 20), values.seed ?? '1');
  const findNear = createFindNear(trees[0]);
  write(trees[0], mutants);
  const { stdout } = spawnSync('node_modules/.bin/tsc', ['-p', '.'], { cwd: trees[0], encoding: 'utf8' });
  restore(trees[0], mutants);
  const isTyped = ({ file }: Mutant) => !stdout.includes(`${file}(`);
  for (const mutant of mutants) if (!isTyped(mutant)) report(mutant, 'types');
  let unnoticed: readonly Mutant[] = mutants.filter(isTyped);
  const typed = unnoticed.length;
  unnoticed = await tryAlone(unnoticed, 'fast', ({ file }) => findNear(file, 'fast'));
  unnoticed = await tryTogether(unnoticed);
  if (values.slow) unnoticed = await tryAlone(unnoticed, 'slow', ({ file }) => findNear(file, 'slow'));
  for (const mutant of unnoticed) report(mutant, 'survived');
  const count = (tier: string) => noticedBy.filter((each) => each === tier).length;
  const percent = (part: number) => `${part} of ${typed} (${Math.floor((100 * part) / typed)} %)`;
  const tests = `fast tests detect ${percent(count('fast'))}, slow tests ${count('slow')} more`;
  console.log(`The types detect ${count('types')} of ${mutants.length} mutants. Of the others, ${tests}.`);
} finally {
  for (const tree of trees) removeWorkTree(tree);
  rmSync(folder, { recursive: true, force: true });
}
