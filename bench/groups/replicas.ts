/** Several processes on one PostgreSQL database: predictions, idle load, lag of events, and takeover of jobs. */
import { loadavg } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { startCluster } from '../../test/support/cluster.ts';
import { disturb } from '../../test/support/disturb.ts';
import { jobsToKill } from '../../test/support/jobs-to-kill.ts';
import { type PostgresServer, startPostgres } from '../../test/support/servers/postgres-server.ts';
import type { Scope } from '../../test/support/start-service.ts';
import { recordWrites } from '../../test/support/write-log.ts';
import { median } from '../machine.ts';
import { readEventLags } from '../measure/event-lags.ts';
import { GENERATOR, requestsPerSecond } from '../measure/load.ts';
import { countTransactions, freePort, processorSeconds } from '../measure/processes.ts';
import type { Goal, Report, Table } from '../measure/report.ts';
import {
  cancelJob,
  isUnderway,
  type Server,
  startAtelier,
  startJob,
  trainModel,
  untilJob,
  withState,
} from '../measure/servers.ts';
import { quantile, readable, spread } from '../measure/statistics.ts';
import { type Contestant, type Effort, takeTurns } from '../measure/turns.ts';

const CONNECTIONS = 16;
const RAW = { 'content-type': 'application/octet-stream' };
const IMAGE = new Uint8Array(784).fill(100);
const ONE = 'one replica';
const TWO = ['two replicas, two ports', 'two replicas, one port'] as const;
const TWICE = `, ${2 * CONNECTIONS} connections`;
const ENDLESS = 10_000;
const ROLES = ['all', 'api', 'worker'] as const;
/** PostgreSQL reports what a session has done up to a second later. */
const STATISTICS_MS = 2_000;
const KILLS_PER_ROUND = 2;
const LONGEST_WAIT_MS = 300;

export async function replicas(effort: Effort): Promise<Report> {
  const postgres = await startPostgres();
  try {
    const [predicted, ...others] = await withState(
      async (state) =>
        [
          await predictions(state, postgres, effort),
          await idle(state, postgres, effort),
          await eventLags(state, postgres, effort),
          await takeover(postgres, effort),
        ] as const,
    );
    return {
      title: 'Replicas',
      method:
        `Processes on one PostgreSQL database, all on the same machine as the database and the load generator. Predictions: one image as raw bytes, 784-40-10, ${CONNECTIONS} ` +
        `connections in all unless stated, load by ${GENERATOR}, ${effort.loadSeconds} s per turn, median of ${effort.rounds} turns after one to warm up. Transactions are those that PostgreSQL counts, ` +
        'less those of idle replicas for predictions. The capacity of a process is the inverse of its processor time per request; requests share nothing but ' +
        'the processors, so two processes have the sum of their capacities, which the goals compare in each turn at equal connections per process. The lag of an event is the time from its timestamp to a client that follows the job.',
      versions: [`load average at the end ${readable(loadavg()[0]!)}`],
      skipped: [],
      tables: [predicted.table, ...others],
      goals: predicted.goals,
    };
  } finally {
    await postgres.remove();
  }
}

interface Predicted {
  readonly rate: number;
  /** µs of all replicas per request. */
  readonly processor: number;
  readonly transactions: number;
}

async function predictions(
  state: string,
  postgres: PostgresServer,
  effort: Effort,
): Promise<{ readonly table: Table; readonly goals: readonly Goal[] }> {
  const port = await freePort();
  const start = (name: string, settings: NodeJS.ProcessEnv) =>
    startAtelier(`${state}/${name}`, { MAX_EVENT_LOOP_DELAY_MS: '60000', ...settings });
  const shared = { DATABASE_URL: postgres.url };
  const together = { ...shared, REUSE_PORT: 'on', PORT: String(port) };
  const alone = await start('alone', {});
  const single = await start('one', shared);
  const groups: Readonly<Record<string, readonly Server[]>> = {
    'one process on SQLite': [alone],
    [ONE]: [single],
    'two replicas, two ports': [single, await start('two', shared)],
    'two replicas, one port': [await start('three', together), await start('four', together)],
  };
  const servers = [...new Set(Object.values(groups).flat())];
  try {
    for (const server of [alone, single]) await trainModel(server.url, 'served');
    // All replicas have loaded the model.
    for (const { url } of servers) await load(url, CONNECTIONS, 1);
    const idleRate = await idleTransactions(postgres, effort.loadSeconds);
    const contestant = (name: string, of: readonly Server[], connections: number): Contestant<Predicted> => ({
      name,
      measure: () => measure(of, connections, postgres, idleRate, effort.loadSeconds),
    });
    const contestants = [
      ...Object.entries(groups).map(([name, of]) => contestant(name, of, CONNECTIONS)),
      ...TWO.map((name) => contestant(`${name}${TWICE}`, groups[name]!, 2 * CONNECTIONS)),
      contestant('two replicas, one port, 64 connections', groups['two replicas, one port']!, 64),
    ];
    await takeTurns(contestants, 1);
    const results = await takeTurns(contestants, effort.rounds);
    const rows = Array.from(results, ([name, turns]) => [
      name,
      ...spread(turns.map(({ rate }) => rate)),
      readable(median(turns.map(({ processor }) => processor))),
      readable(median(turns.map(({ transactions }) => transactions))),
    ]);
    const columns = [
      '',
      'requests/s',
      'smallest – largest',
      'processor per request, µs',
      'transactions per request',
    ];
    const one = results.get(ONE)!;
    const goals = TWO.map((name) => ({
      what: `capacity of ${name} ÷ ${ONE}`,
      measured: median(
        results.get(`${name}${TWICE}`)!.map((two, n) => (2 * one[n]!.processor) / two.processor),
      ),
      atLeast: 1.9,
    }));
    return { table: { heading: 'Predictions', columns, rows }, goals };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** Sends the load to each address, with an equal part of the connections. Replicas of one port have the same address. */
async function measure(
  servers: readonly Server[],
  connections: number,
  postgres: PostgresServer,
  idleRate: number,
  seconds: number,
): Promise<Predicted> {
  const urls = [...new Set(servers.map(({ url }) => url))];
  const processorTime = () => servers.reduce((sum, { pid }) => sum + processorSeconds(pid), 0);
  const before = {
    processor: processorTime(),
    transactions: await countTransactions(postgres.url),
    at: Date.now(),
  };
  const rates = await Promise.all(urls.map((url) => load(url, connections / urls.length, seconds)));
  const processor = processorTime() - before.processor;
  await wait(STATISTICS_MS);
  const all = (await countTransactions(postgres.url)) - before.transactions;
  const rate = rates.reduce((sum, each) => sum + each, 0);
  const requests = rate * seconds;
  const idleOnes = (idleRate * (Date.now() - before.at)) / 1000;
  return {
    rate,
    processor: (processor / requests) * 1e6,
    transactions: Math.max(0, all - idleOnes) / requests,
  };
}

function load(url: string, connections: number, seconds: number): Promise<number> {
  return requestsPerSecond({
    url: `${url}/v1/models/served/predictions`,
    headers: RAW,
    body: IMAGE,
    connections,
    seconds,
  });
}

/** Transactions per second while nothing is asked. */
async function idleTransactions({ url }: PostgresServer, seconds: number): Promise<number> {
  await wait(STATISTICS_MS);
  const [before, at] = [await countTransactions(url), Date.now()];
  await wait(seconds * 1000);
  return (1000 * ((await countTransactions(url)) - before)) / (Date.now() - at);
}

async function idle(state: string, postgres: PostgresServer, effort: Effort): Promise<Table> {
  const rows: string[][] = [];
  for (const role of ROLES) {
    const server = await startAtelier(`${state}/idle`, { DATABASE_URL: postgres.url, ROLE: role });
    try {
      await wait(1000 * effort.settleSeconds);
      rows.push([`ROLE=${role}`, readable(await idleTransactions(postgres, effort.latencySeconds))]);
    } finally {
      await server.stop();
    }
  }
  return { heading: 'One idle replica', columns: ['', 'transactions per second'], rows };
}

async function eventLags(state: string, postgres: PostgresServer, effort: Effort): Promise<Table> {
  const start = (role: string) =>
    startAtelier(`${state}/${role}`, { DATABASE_URL: postgres.url, ROLE: role });
  const [runner, other] = [await start('all'), await start('api')];
  try {
    const id = await startJob(runner.url, 'followed', ENDLESS);
    await untilJob(runner.url, id, isUnderway);
    const [own, elsewhere] = await Promise.all(
      [runner, other].map(({ url }) => readEventLags(url, id, effort.latencySeconds)),
    );
    await cancelJob(runner.url, id);
    const row = (name: string, lags: readonly number[]) => [
      name,
      readable(lags.length),
      ...[0.5, 0.99, 1].map((q) => readable(quantile(lags, q))),
    ];
    return {
      heading: 'Lag of events',
      columns: ['followed on', 'events', 'median, ms', 'p99, ms', 'largest, ms'],
      rows: [row('the replica that trains', own!), row('the other replica', elsewhere!)],
    };
  } finally {
    await Promise.all([runner.stop(), other.stop()]);
  }
}

async function takeover(postgres: PostgresServer, effort: Effort): Promise<Table> {
  const ends: (() => Promise<void>)[] = [];
  const scope: Scope = { after: (end) => void ends.push(end) };
  try {
    const cluster = await startCluster(scope, postgres.url, 2, { TRAINING_WORKERS: '1' });
    const observer = await cluster.add({ ROLE: 'api' });
    await recordWrites(postgres.url);
    const kills = KILLS_PER_ROUND * effort.rounds;
    const { disturbed } = await disturb({
      cluster,
      observer: observer.base,
      url: postgres.url,
      body: jobsToKill(4 * kills)[0]!,
      disturbances: Array.from({ length: kills }, () => 'kill'),
      seconds: 0,
      random: Math.random,
      longestWaitMs: LONGEST_WAIT_MS,
    });
    const row = (name: string, values: readonly number[]) => [
      name,
      readable(median(values)),
      readable(Math.max(...values)),
    ];
    return {
      heading: `Takeover after SIGKILL of the replica that trains, ${kills} times`,
      columns: ['', 'median, ms', 'longest, ms'],
      rows: [
        row(
          'running on another replica',
          disturbed.map(({ running }) => running!),
        ),
        row(
          'first report from there',
          disturbed.map(({ firstReport }) => firstReport),
        ),
      ],
    };
  } finally {
    for (const end of ends) await end();
  }
}
