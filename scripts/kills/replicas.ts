/** Kills, freezes and cuts off whichever of several processes on one database trains. */
import assert from 'node:assert/strict';
import { loadavg } from 'node:os';
import { describeMachine } from '../../bench/machine.ts';
import { quantile, readable } from '../../bench/measure/statistics.ts';
import { PURPOSE, randomUniform } from '../../src/numerics/random.ts';
import { type Cluster, startCluster } from '../../test/support/cluster.ts';
import { type Disturbance, type Disturbed, disturb } from '../../test/support/disturb.ts';
import { jobsToKill } from '../../test/support/jobs-to-kill.ts';
import { assertSameOutcome, type JobHistory, runUndisturbed } from '../../test/support/kill-often.ts';
import { type PostgresServer, startPostgres } from '../../test/support/servers/postgres-server.ts';
import { startProcess } from '../../test/support/start-process.ts';
import {
  addCleanup,
  type Scope,
  type TrainingBody,
  temporaryDirectory,
} from '../../test/support/start-service.ts';
import { recordWrites, staleWrites, writesOf } from '../../test/support/write-log.ts';
import { toTable } from './survival.ts';

export type DisturbanceCounts = Readonly<Record<Disturbance, number>>;

/** What is done to the replica that trains, and for how many seconds. */
const KINDS: Readonly<Record<Disturbance, { readonly what: string; readonly seconds: number }>> = {
  kill: { what: 'SIGKILL; another process starts in its place', seconds: 0 },
  freeze: { what: 'SIGSTOP, and SIGCONT after 10 s', seconds: 10 },
  drop: { what: 'its packets to and from PostgreSQL are lost for 10 s', seconds: 10 },
  database: { what: 'PostgreSQL is killed for 6 s', seconds: 6 },
};
/** A killed database keeps what it has committed. */
const DURABLE = ['fsync=on', 'full_page_writes=on', 'synchronous_commit=on'];
/** Seconds of training that a disturbance of some seconds needs besides: the job must not end before its last one. */
const SPARE_SECONDS = 4;
const LONGEST_WAIT_MS = 300;
const CALIBRATION_EPOCHS = 16;

interface Series {
  readonly body: TrainingBody;
  readonly kind: Disturbance;
  readonly count: number;
}

interface Result extends Series {
  readonly history: JobHistory;
  readonly undisturbed: JobHistory;
  readonly disturbed: readonly Disturbed[];
}

/** @returns the section of the page */
export async function disturbReplicas(
  scope: Scope,
  { replicas, seed, ...counts }: DisturbanceCounts & { readonly replicas: number; readonly seed: number },
): Promise<string> {
  const series = await plan(scope, counts);
  const quiet = startProcess(scope, await temporaryDirectory(scope), {
    TRAINING_WORKERS: String(series.length),
  });
  const undisturbed = await runUndisturbed(
    quiet,
    series.map(({ body }) => body),
  );
  quiet.child.kill('SIGKILL');
  console.log(`undisturbed: ${undisturbed.map(({ job }) => job.stoppedAt!.step).join(', ')} steps`);

  const postgres = await startPostgres(DURABLE);
  addCleanup(scope, postgres.remove);
  const workers = await startCluster(scope, postgres.url, replicas, { TRAINING_WORKERS: '1' });
  const observer = await workers.add({ ROLE: 'api' });
  await recordWrites(postgres.url);
  const results: Result[] = [];
  for (const [n, each] of series.entries()) {
    const found = await runSeries(each, undisturbed[n]!, workers, postgres, {
      observer: observer.base,
      random: (draw) => randomUniform(seed, PURPOSE.shuffle, n, draw),
    });
    results.push({ ...each, undisturbed: undisturbed[n]!, ...found });
  }
  return describe(results, replicas, seed, counts);
}

/** Jobs that last as long as their disturbances. */
async function plan(scope: Scope, counts: DisturbanceCounts): Promise<Series[]> {
  const [first, second] = jobsToKill(Math.max(1, Math.ceil(counts.kill / 2)));
  const kills = [
    { body: first!, kind: 'kill', count: Math.ceil(counts.kill / 2) },
    { body: second!, kind: 'kill', count: Math.floor(counts.kill / 2) },
  ] as const;
  const timed = (['freeze', 'drop', 'database'] as const).filter((kind) => counts[kind] > 0);
  const perEpoch = timed.length > 0 ? await secondsPerEpoch(scope, first!) : 1;
  return [
    ...kills,
    ...timed.map((kind) => {
      const seconds = counts[kind] * (KINDS[kind].seconds + SPARE_SECONDS);
      return { body: lasting(first!, Math.ceil(seconds / perEpoch), kind), kind, count: counts[kind] };
    }),
  ].filter(({ count }) => count > 0);
}

function lasting(body: TrainingBody, epochs: number, modelName: string): TrainingBody {
  return { ...body, modelName, training: { ...body.training, epochs } };
}

async function secondsPerEpoch(scope: Scope, body: TrainingBody): Promise<number> {
  const service = startProcess(scope, await temporaryDirectory(scope));
  const [history] = await runUndisturbed(service, [lasting(body, CALIBRATION_EPOCHS, 'calibration')]);
  service.child.kill('SIGKILL');
  const late = history!.metrics.slice(CALIBRATION_EPOCHS / 2);
  const durations = late.map(({ durationMs, evaluationMs }) => durationMs + evaluationMs);
  return quantile(durations, 0.5) / 1000;
}

async function runSeries(
  { body, kind, count }: Series,
  undisturbed: JobHistory,
  cluster: Cluster,
  postgres: PostgresServer,
  { observer, random }: { observer: string; random: (draw: number) => number },
) {
  let draws = 0;
  const found = await disturb({
    cluster,
    observer,
    url: postgres.url,
    postgres,
    body,
    lastStep: undisturbed.job.stoppedAt!.step,
    disturbances: Array.from({ length: count }, () => kind),
    seconds: KINDS[kind].seconds,
    random() {
      draws += 1;
      return random(draws);
    },
    longestWaitMs: LONGEST_WAIT_MS,
    onDisturbed: (each) => console.log(JSON.stringify(each)),
  });
  assertSameOutcome(found.history, undisturbed);
  assert.deepEqual(staleWrites(await writesOf(postgres.url, found.history.job.id)), []);
  return found;
}

function describe(
  results: readonly Result[],
  replicas: number,
  seed: number,
  counts: DisturbanceCounts,
): string {
  const all = results.flatMap(({ disturbed }) => disturbed);
  const kinds = (Object.keys(KINDS) as Disturbance[]).filter((kind) => counts[kind] > 0);
  const rows = kinds.map((kind) => {
    const of = all.filter((each) => each.kind === kind);
    const elsewhere = of.flatMap(({ running }) => (running === undefined ? [] : [running / 1000]));
    return [
      KINDS[kind].what,
      String(of.length),
      ...spread(elsewhere, ' s'),
      ...spread(
        of.map(({ firstReport }) => firstReport / 1000),
        ' s',
      ),
      ...spread(
        of.map(({ repeatedSteps }) => repeatedSteps),
        '',
      ),
    ];
  });
  const columns = [
    'the replica that trains',
    'times',
    'running again, median',
    'longest',
    'first report, median',
    'longest',
    'steps repeated, median',
    'most',
  ];
  const steps = results.map(({ undisturbed }) => undisturbed.job.stoppedAt!.step);
  const outcome = [
    ['digests, metrics of every epoch, warnings, best and latest', 'equal to undisturbed jobs on SQLite'],
    ['attempts', results.map(({ history }) => history.job.attempts).join(', ')],
    [
      'events, numbered from 1 without gap or repeat',
      results.map(({ history }) => history.events.length).join(', '),
    ],
    ['writes of a process that no longer ran the job', 'none, as recorded by triggers in the database'],
  ];
  const flags = [
    `--replicas ${replicas} --kills ${counts.kill}`,
    ...(counts.freeze > 0 ? [`--stops ${counts.freeze}`] : []),
    ...(counts.drop > 0 ? [`--drops ${counts.drop}`] : []),
    ...(counts.database > 0 ? [`--database-kills ${counts.database}`] : []),
    `--seed ${seed}`,
  ];
  return `${describeMachine()}. Load average at the end: ${readable(loadavg()[0]!)}.

\`npm run kills -- ${flags.join(' ')}\`: ${replicas} processes train on one PostgreSQL database, and a further one with \`ROLE=api\` is the one that clients use. Each job
runs alone (${steps.join(', ')} steps), and whichever process trains it is disturbed at random moments.

${toTable(rows, columns)}

${toTable(outcome)}`;
}

function spread(values: readonly number[], unit: string): [string, string] {
  if (values.length === 0) return ['–', '–'];
  return [`${readable(quantile(values, 0.5))}${unit}`, `${readable(Math.max(...values))}${unit}`];
}
