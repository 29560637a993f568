/** Latency of reads, of a start and of an insert, with a database of 100,000 jobs and a million epochs. */
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { loadavg } from 'node:os';
import { finished } from 'node:stream/promises';
import { startPostgres } from '../../test/support/servers/postgres-server.ts';
import { fillPostgres, fillSqlite } from '../growth/databases.ts';
import { type Growth, grow } from '../growth/grow.ts';
import { growthRequests, type Requests, wholeRequests } from '../growth/requests.ts';
import { seedService } from '../growth/seed-service.ts';
import { median } from '../machine.ts';
import { mainThreadMilliseconds } from '../measure/processes.ts';
import type { Report, Table } from '../measure/report.ts';
import {
  cancelJob,
  type Job,
  post,
  type Server,
  startAtelier,
  untilReady,
  withState,
} from '../measure/servers.ts';
import { readable } from '../measure/statistics.ts';
import type { Effort } from '../measure/turns.ts';

const FULL: Growth = { jobs: 100_000, epochs: 1_000_000, longEpochs: 10_000 };
const QUICK: Growth = { jobs: 2_000, epochs: 30_000, longEpochs: 10_000 };
const DATABASES = ['SQLite', 'PostgreSQL'];
const GOAL_MS = 10;
/** Turns of each path; the first one is not counted, because connections and statements are prepared in it. */
const TURNS = 9;
const STARTS = 3;
const INSERTS = 20;
const AGENT = new Agent({ keepAlive: true });

/** The largest of all paths. */
interface Latency {
  readonly median: number;
  readonly slowest: number;
}

interface ReadLatency extends Latency {
  /** Milliseconds of the main thread per request. */
  readonly processor: number;
}

interface Measured {
  /** By name of the requests. */
  readonly reads: ReadonlyMap<string, ReadLatency>;
  readonly others: ReadonlyMap<string, Latency>;
}

export async function growth({ rounds }: Effort): Promise<Report> {
  const size = rounds === 1 ? QUICK : FULL;
  const sqlite = await withState((state) => measure(state, size, fillSqlite(state), {}));
  const postgres = await startPostgres();
  try {
    const shared = await withState((state) =>
      measure(state, size, fillPostgres(postgres.url), { DATABASE_URL: postgres.url }),
    );
    const measured = [sqlite, shared];
    return {
      title: 'Growth',
      method:
        `${readable(size.jobs)} jobs with ${readable(size.epochs)} epochs, events and metrics, of ${readable(size.jobs / 50)} models, 21 data sets and ${readable(size.jobs / 200)} searches, copied from real ones into SQLite and into PostgreSQL on the same machine. ` +
        `Milliseconds of ${TURNS} requests of each path after one more, one at a time over HTTP, until the last byte of the compressed response; a row joins orders and page sizes, and shows the largest of their medians. Processor is the time of the main thread, which on SQLite is all of it. ` +
        'A start lasts until the process is ready; the file was in memory.',
      versions: [`load average at the end ${readable(loadavg()[0]!)}`],
      skipped: [],
      tables: [
        table(
          'Reads',
          ['median', 'slowest', 'processor'],
          measured.map(({ reads }) => reads),
        ),
        table(
          'Others',
          ['median', 'slowest'],
          measured.map(({ others }) => others),
        ),
      ],
      goals: DATABASES.map((name, n) => ({
        what: `slowest median of a read on ${name}, ms`,
        measured: Math.max(...[...measured[n]!.reads.values()].map((each) => each.median)),
        atMost: GOAL_MS,
      })),
    };
  } finally {
    await postgres.remove();
  }
}

async function measure(
  state: string,
  size: Growth,
  fill: ReturnType<typeof fillSqlite>,
  env: NodeJS.ProcessEnv,
): Promise<Measured> {
  await timeStart(state, env, seedService);
  process.stderr.write('filling\n');
  const grown = await fill((db) => grow(db, size));
  const starts: number[] = [];
  for (let n = 0; n < STARTS - 1; n++) starts.push((await timeStart(state, env, async () => {})).ms);
  const { ms, value } = await timeStart(state, env, async (server) => {
    const reads = await read(server, growthRequests(grown));
    const whole = await read(server, wholeRequests(grown));
    return { reads, whole, inserts: await insertJobs(server) };
  });
  starts.push(ms);
  const others = new Map([
    ...value.whole,
    ['start', latency(starts)],
    ['insert of a job', latency(value.inserts)],
  ]);
  return { reads: value.reads, others };
}

const latency = (times: readonly number[]): Latency => ({
  median: median(times),
  slowest: Math.max(...times),
});

/** Milliseconds until the service is ready. */
async function timeStart<T>(
  state: string,
  env: NodeJS.ProcessEnv,
  use: (server: Server) => Promise<T>,
): Promise<{ ms: number; value: T }> {
  const startedAt = performance.now();
  const server = await startAtelier(state, { MAX_EVENT_LOOP_DELAY_MS: '60000', ...env });
  try {
    await untilReady(server.url);
    const ms = performance.now() - startedAt;
    return { ms, value: await use(server) };
  } finally {
    await server.stop();
  }
}

async function read({ url, pid }: Server, requests: Requests): Promise<Map<string, ReadLatency>> {
  const latencies = new Map<string, ReadLatency>();
  for (const [name, paths] of Object.entries(requests)) {
    const each: ReadLatency[] = [];
    for (const path of paths) {
      const times: number[] = [];
      let before = 0;
      for (let turn = 0; turn <= TURNS; turn++) {
        if (turn === 1) before = mainThreadMilliseconds(pid);
        const startedAt = performance.now();
        await receive(url + path);
        if (turn > 0) times.push(performance.now() - startedAt);
      }
      each.push({ ...latency(times), processor: (mainThreadMilliseconds(pid) - before) / TURNS });
    }
    const largest = (key: keyof ReadLatency) => Math.max(...each.map((path) => path[key]));
    latencies.set(name, {
      median: largest('median'),
      slowest: largest('slowest'),
      processor: largest('processor'),
    });
  }
  return latencies;
}

/**
 * Receives the response and drops it, compressed as for `fetch`. `fetch` would decompress it, and this process would collect
 * the garbage of that: 51 of 2,997 reads took more than 20 ms, and 2 without it.
 */
async function receive(url: string): Promise<void> {
  const request = get(url, { agent: AGENT, headers: { 'accept-encoding': 'gzip, deflate' } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  await finished(response.resume());
  if (response.statusCode !== 200) throw new Error(`${url} responded with ${response.statusCode}.`);
}

async function insertJobs({ url }: Server): Promise<number[]> {
  const body = { dataset: 'fashion-mnist', modelName: 'model-0', training: { epochs: 1000 } };
  const times: number[] = [];
  for (let n = 0; n < INSERTS; n++) {
    const startedAt = performance.now();
    const { id } = await post<Job>(`${url}/v1/training-jobs`, body);
    times.push(performance.now() - startedAt);
    await cancelJob(url, id);
  }
  return times;
}

function table<Key extends keyof ReadLatency>(
  heading: string,
  keys: readonly Key[],
  measured: readonly ReadonlyMap<string, Pick<ReadLatency, Key>>[],
): Table {
  const [sqlite] = measured;
  return {
    heading,
    columns: ['', ...DATABASES.flatMap((name) => keys.map((key) => `${name} ${key}, ms`))],
    rows: Array.from(sqlite!.keys(), (name) => [
      name,
      ...measured.flatMap((each) => keys.map((key) => readable(each.get(name)![key]))),
    ]),
  };
}
