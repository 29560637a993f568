/** Kills one process with SIGKILL at random moments while two jobs train, and starts it again on the same state. */
import { describeMachine } from '../../bench/machine.ts';
import { quantile, readable } from '../../bench/measure/statistics.ts';
import { jobsToKill } from '../../test/support/jobs-to-kill.ts';
import { assertSameOutcome, killOften, restartTimes, runUndisturbed } from '../../test/support/kill-often.ts';
import { startProcess } from '../../test/support/start-process.ts';
import { type Scope, temporaryDirectory } from '../../test/support/start-service.ts';
import { toTable } from './survival.ts';

/** @returns the section of the page */
export async function killOneProcess(scope: Scope, kills: number, seed: number): Promise<string> {
  const requests = jobsToKill(kills);
  // The default. A test does without it. A killed process starts with the stored outcome.
  const environment = { TRAINING_WORKERS: String(requests.length), WIDE_VECTORS: 'auto' };
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
    ['digests of the final parameters', 'equal to the undisturbed jobs'],
    ['metrics of every epoch, warnings, best and last', 'equal to the undisturbed jobs'],
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
  return `${describeMachine()}.

\`npm run kills -- --kills ${kills} --seed ${seed}\`: the real process is killed with SIGKILL at random moments while two jobs train, and started
again on the same state. One job runs on one thread, with Adam, dropout, augmentation and a plateau schedule (${first!.step} steps); the other on two
threads, with a convolution and group normalization, Nesterov momentum, dropout, standardized pixels, clipping and early stopping that restores the best (${second!.step} steps). After each start, every event
that a client had read was compared, and every response of further jobs, including paused and cancelled ones.

${toTable(rows)}`;
}
