/**
 * usage: npm run mutants -- [--sample 20] [--seed 1] [--slow]
 * Prints what notices each mutant of src and cli: the types, a fast test or, with --slow, a slow test of its folder.
 * Tries two at a time, in work trees of the last commit. More than half an hour counts as a failure.
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
const folder = mkdtempSync(join(tmpdir(), 'atelier-mutants-'));
const trees = [join(folder, 'a'), join(folder, 'b')] as const;
const interruption = new AbortController();
process.once('SIGINT', () => interruption.abort()).once('SIGTERM', () => interruption.abort());
const tiers: string[] = [];
function report(title: string, noticed: string): void {
  tiers.push(noticed.split(':')[0]!);
  console.log(`${title} | ${noticed}`.replaceAll(/\s+/g, ' '));
}

/** Resolves to the tier with the first failing test, or to undefined. Rejects if it is interrupted. */
async function firstFailure(cwd: string, args: readonly string[]): Promise<string | undefined> {
  const command = ['--kill-after=9', '30m', process.execPath, 'test/runners/run.ts', ...args];
  const env = { ...process.env, TMPDIR: folder };
  const child = spawn('timeout', command, { cwd, env, signal: interruption.signal });
  let failure: string | undefined;
  child.stderr.resume();
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (/^ *✖ /.test(line) && child.kill()) failure ??= `${args[0]}: ${line.trim()}`;
  });
  const [code] = await once(child, 'exit');
  return failure ?? (code === 0 ? undefined : `${args[0]}: exit code ${code}`);
}

/** Runs the test of the file, the tests of its folder, and all, until one fails. */
async function tryMutant(tree: string, { file, title, original, mutated }: Mutant): Promise<void> {
  const own = join('test', file.replace('src/', '').replace('.ts', '.test.ts'));
  let near = dirname(own);
  while (!existsSync(join(tree, near))) near = dirname(near);
  // The tests in the root are about the whole project.
  const find = (glob: string) => (near === 'test' ? [] : globSync(`${near}/**/${glob}`, { cwd: tree }));
  const runs: [tier: string, files?: string[]][] = [['fast', globSync(own, { cwd: tree })]];
  runs.push(['fast', find('!(*.slow).test.ts')], ['fast']);
  if (values.slow) runs.push(['slow', find('*.slow.test.ts')]);
  let noticed: string | undefined;
  writeFileSync(join(tree, file), mutated);
  for (const [tier, files] of runs.filter((each) => each[1]?.length !== 0)) {
    noticed ??= await firstFailure(tree, [tier, ...(files ?? [])]);
  }
  writeFileSync(join(tree, file), original);
  report(title, noticed ?? 'survived');
}

try {
  chmodSync(folder, 0o755); // the PostgreSQL server of the tests runs as another user
  for (const tree of trees) addWorkTree(tree);
  // The tests use the compiled kernel.
  const files = globSync('{src,cli}/**/*.ts', { cwd: trees[0], exclude: ['**/assembly/*'] }).toSorted();
  const mutants = drawMutants(trees[0], files, Number(values.sample ?? 20), values.seed ?? '1');
  for (const { file, mutated } of mutants) writeFileSync(join(trees[0], file), mutated);
  const { stdout } = spawnSync('node_modules/.bin/tsc', ['-p', '.'], { cwd: trees[0], encoding: 'utf8' });
  for (const { file, original } of mutants) writeFileSync(join(trees[0], file), original);
  const waiting = mutants.filter(({ file }) => !stdout.includes(`${file}(`));
  for (const mutant of mutants) if (!waiting.includes(mutant)) report(mutant.title, 'types');
  const tryWaiting = async (tree: string) => {
    for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) await tryMutant(tree, mutant);
  };
  await Promise.all(trees.map(tryWaiting));
  for (const [tier, all] of Map.groupBy(tiers, (each) => each)) console.log(`${all.length} ${tier}`);
} finally {
  for (const tree of trees) removeWorkTree(tree);
  rmSync(folder, { recursive: true, force: true });
}
