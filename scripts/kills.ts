/**
 * usage: npm run kills -- [--kills 200] [--seed 1]
 * Kills the service with SIGKILL at random moments while two jobs train, as in test/main-kills.slow.test.ts, and writes
 * the results to bench/results/survival.md. Fails if anything differs from the undisturbed jobs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../bench/machine.ts';
import { quantile, readable } from '../bench/measure/statistics.ts';
import { jobsToKill } from '../test/jobs-to-kill.ts';
import { assertSameOutcome, killOften, restartTimes, runUndisturbed } from '../test/kill-often.ts';
import { startProcess } from '../test/start-process.ts';
import { temporaryDirectory } from '../test/start-service.ts';
import { wholeArgument } from './whole-argument.ts';

const RESULTS = join(import.meta.dirname, '../bench/results/survival.md');
/** Text above this heading is generated; text below is written by hand after scripts/full-disk-check.sh. */
const MARK = '## Full disk';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const [kills, seed] = [wholeArgument('kills', values.kills), wholeArgument('seed', values.seed, 0)];

const ends: (() => Promise<void>)[] = [];
const scope = { after: (end: () => Promise<void>) => void ends.push(end) };
try {
  await measure();
} finally {
  for (const end of ends) await end();
}

async function measure(): Promise<void> {
  const requests = jobsToKill(kills);
  const environment = { TRAINING_WORKERS: String(requests.length) };
  const quiet = startProcess(scope, await temporaryDirectory(scope), environment);
  const undisturbed = await runUndisturbed(quiet, requests);
  quiet.child.kill('SIGKILL');
  const [first, second] = undisturbed.map(({ job }) => job.stoppedAt!);
  console.log(`undisturbed: ${first!.step} and ${second!.step} steps`);

  const stateDir = await temporaryDirectory(scope);
  const killed = await killOften({
    start: () => startProcess(scope, stateDir, environment),
    requests,
    undisturbed,
    kills,
    seed,
    onKill: (n) => console.log(`kill ${n} of ${kills}`),
  });
  for (const [n, story] of killed.histories.entries()) assertSameOutcome(story, undisturbed[n]!);

  const times = killed.histories.map((story) => restartTimes(story, killed.killedAt));
  const seconds = (of: 'running' | 'firstReport', q: number) =>
    `${readable(
      quantile(
        times.flatMap((time) => time[of]),
        q,
      ) / 1000,
    )} s`;
  const checkpoints = killed.histories.map(
    ({ events }) => events.filter(({ type }) => type === 'checkpoint').length,
  );
  const rows = [
    ['kills survived', `${killed.killedAt.length}, ${killed.early} of them while the service started`],
    ['digests of the final parameters', 'equal to those of the undisturbed jobs'],
    ['metrics of every epoch, warnings, best and last', 'equal to those of the undisturbed jobs'],
    ['attempts', killed.histories.map(({ job }) => job.attempts).join(' and ')],
    [
      'events, numbered without gap or repeat',
      killed.histories.map(({ events }) => events.length).join(' and '),
    ],
    ['checkpoints', checkpoints.join(' and ')],
    ['responses (202) compared again after each kill', String(killed.recordedResponses)],
    ['from SIGKILL to running again, median, p95', `${seconds('running', 0.5)}, ${seconds('running', 0.95)}`],
    [
      "… to the first report of the job's thread",
      `${seconds('firstReport', 0.5)}, ${seconds('firstReport', 0.95)}`,
    ],
  ];
  const text = `# Survival

${describeMachine()}.

## Kills

\`npm run kills -- --kills ${kills} --seed ${seed}\`: the real process is killed with SIGKILL at random moments while two jobs train, and started
again on the same state. One job runs on one thread, with Adam, dropout, augmentation and a plateau schedule (${first!.step} steps); the other on two
threads, with Nesterov momentum, dropout, standardized pixels, clipping and early stopping that restores the best (${second!.step} steps). After each start, every event
that a client had read was compared, and every response of further jobs, including paused and cancelled ones.

| | |
|---|---|
${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}

`;
  const [, below = ''] = readFileSync(RESULTS, 'utf8').split(MARK);
  writeFileSync(RESULTS, `${text}${MARK}${below}`);
  console.log(text);
}
