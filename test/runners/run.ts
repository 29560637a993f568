/**
 * Runs the files of one tier with Node's test runner, whose output it passes on.
 * usage: node test/runners/run.ts fast|slow|page|coverage
 */
import { spawnSync } from 'node:child_process';
import { type Tier, testFiles } from './tiers.ts';

const tier = process.argv[2] as Tier;
const CONCURRENCY: Readonly<Record<Tier, number>> = { fast: 3, slow: 2, page: 4, coverage: 2 };
const COVERAGE = [
  '--experimental-test-coverage',
  '--test-coverage-include=src/**/*.ts',
  '--test-coverage-lines=90',
  '--test-coverage-branches=90',
];

const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-global-setup=test/support/servers/postgres-server.ts',
    `--test-concurrency=${CONCURRENCY[tier]}`,
    ...(tier === 'coverage' ? COVERAGE : []),
    ...testFiles(tier),
  ],
  {
    stdio: 'inherit',
    env: { ...process.env, ...(tier !== 'coverage' && { NODE_COMPILE_CACHE: 'node_modules/.cache/tests' }) },
  },
);
process.exitCode = status ?? 1;
