/**
 * Runs the files of one tier, or only the given ones, with Node's test runner. Every test and every file has a time limit.
 * usage: node test/runners/run.ts fast|slow|page|coverage [FILE…]
 */
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { join, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { type Tier, testFiles } from './tiers.ts';

const MINUTE_MS = 60_000;
/**
 * Processes at a time: enough for two cores to have work while some of them wait, and for the files of `runners/`, which
 * have the tests of many files, to run from the start. Limits of time for one test, and for the process of one file, which
 * may block or not end after its tests.
 */
const LIMITS = {
  fast: { concurrency: 5, testMs: 2 * MINUTE_MS, fileMs: 20 * MINUTE_MS },
  slow: { concurrency: 5, testMs: 10 * MINUTE_MS, fileMs: 20 * MINUTE_MS },
  page: { concurrency: 4, testMs: 5 * MINUTE_MS, fileMs: 10 * MINUTE_MS },
  coverage: { concurrency: 2, testMs: 5 * MINUTE_MS, fileMs: 30 * MINUTE_MS },
};

const [tier, ...files] = process.argv.slice(2) as [Tier, ...string[]];
const { concurrency, testMs, fileMs } = LIMITS[tier];
// Absolute, because some tests start Node in other folders.
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/tests');
if (tier !== 'coverage') process.env['NODE_COMPILE_CACHE'] = CACHE;

// The runner has no time limit for files.
subscribe('child_process', (message) => {
  const { process: child } = message as { process: ChildProcess };
  child.once('spawn', () => {
    if (child.spawnfile !== process.execPath) return;
    const timer = setTimeout(() => {
      console.error(`${child.spawnargs.at(-1)} exceeds the time limit of ${fileMs / MINUTE_MS} minutes.`);
      child.kill('SIGKILL');
    }, fileMs);
    child.once('exit', () => clearTimeout(timer));
  });
});

run({
  files: files.length > 0 ? files : testFiles(tier),
  concurrency,
  timeout: testMs,
  // Files that run alone start a server of their own.
  ...(files.length === 0 && { globalSetupPath: 'test/support/servers/postgres-server.ts' }),
  ...(tier === 'coverage' && {
    coverage: true,
    coverageIncludeGlobs: ['src/**/*.ts'],
    lineCoverage: 90,
    branchCoverage: 90,
  }),
})
  // Printed at once. The report of a file waits for the files before it.
  .on('test:complete', ({ name, file, details: { passed, error } }) => {
    if (passed || (error && 'failureType' in error && error.failureType === 'subtestsFailed')) return;
    console.error(`✖ ${name.endsWith('.test.ts') ? resolve(name) : file}: ${name}`);
  })
  .on('test:summary', ({ success }) => {
    if (!success) process.exitCode = 1;
  })
  .compose(spec)
  .pipe(process.stdout);
