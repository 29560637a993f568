/** Overload: twice the sustainable rate of predictions, and more jobs than accepted. */
import { setTimeout as wait } from 'node:timers/promises';
import { type Flooded, flood } from '../measure/flood.ts';
import { requestsPerSecond } from '../measure/load.ts';
import type { Report, Table } from '../measure/report.ts';
import {
  isUnderway,
  residentMebibytes,
  type Server,
  startAtelier,
  startJob,
  trainModel,
  untilJob,
  withState,
} from '../measure/servers.ts';
import { quantile, readable } from '../measure/statistics.ts';
import type { Effort } from '../measure/turns.ts';

const CONNECTIONS = 16;
const FLOOD_CONNECTIONS = 500;
const JOBS_PER_SECOND = 50;
const QUEUE_LIMIT = 5;
const ENDLESS = 10_000;
const WARM_UP_SHARE = 3;
const RAW = { 'content-type': 'application/octet-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };

export function overload(effort: Effort): Promise<Report> {
  return withState(async (state) => {
    const server = await startAtelier(state, { TRAINING_WORKERS: '1', QUEUE_LIMIT: String(QUEUE_LIMIT) });
    try {
      return await report(server, effort);
    } finally {
      await server.stop();
    }
  });
}

async function report(server: Server, effort: Effort): Promise<Report> {
  const { overloadSeconds, settleSeconds, loadSeconds } = effort;
  await trainModel(server.url, 'served');
  const busy = await startJob(server.url, 'busy', ENDLESS);
  const { progress } = await untilJob(server.url, busy, isUnderway);
  const predictions = {
    url: `${server.url}/v1/models/served/predictions`,
    headers: RAW,
    body: new Uint8Array(784).fill(100),
  };
  const load = { ...predictions, connections: CONNECTIONS, seconds: loadSeconds };
  await requestsPerSecond(load);
  const sustainable = await requestsPerSecond(load);
  const overloaded = (seconds: number) =>
    Promise.all([
      flood({ ...predictions, connections: FLOOD_CONNECTIONS, perSecond: 2 * sustainable, seconds }),
      flood({
        url: `${server.url}/v1/training-jobs`,
        headers: JSON_TYPE,
        body: Buffer.from(JSON.stringify({ dataset: 'fashion-mnist', modelName: 'more' })),
        connections: 5,
        perSecond: JOBS_PER_SECOND,
        seconds,
      }),
    ]);

  // Memory for this many connections is allocated once.
  await overloaded(overloadSeconds / WARM_UP_SHARE);
  await wait(1000 * settleSeconds);
  const before = residentMebibytes(server.pid);
  let during = before;
  const watch = setInterval(() => (during = Math.max(during, residentMebibytes(server.pid))), 200);
  const [predicted, queued] = await overloaded(overloadSeconds);
  clearInterval(watch);
  await wait(1000 * settleSeconds);
  const after = residentMebibytes(server.pid);
  const still = await untilJob(server.url, busy, (job) => job.progress.step > progress.step);

  const improper = [...predicted.improper, ...queued.improper];
  return {
    title: 'Overload',
    method:
      `784-40-10 predictions of one image as raw bytes. The sustainable rate is ${readable(sustainable)} per second, reached by ${CONNECTIONS} connections while a ` +
      `job trained. Then ${FLOOD_CONNECTIONS} connections sent twice that rate for ${overloadSeconds} s, with ${JOBS_PER_SECOND} training jobs per second (at most ` +
      `${QUEUE_LIMIT} may wait), while the job continued. A connection sends after its last response. Load by autocannon on ` +
      'the same machine. A proper rejection has 429 or 503, Retry-After and a problem document.',
    versions: [],
    skipped: [],
    tables: [
      answers({ predictions: predicted, 'training jobs': queued }),
      {
        heading: 'Memory',
        columns: ['', 'resident, MiB'],
        rows: [
          ['before, after an overload of a third', readable(before)],
          ['largest during the overload', readable(during)],
          [`${settleSeconds} s after it`, readable(after)],
        ],
      },
    ],
    goals: [
      {
        what: `responses neither served nor properly rejected ${[...new Set(improper)].join(' ')}`,
        measured: improper.length,
        atMost: 0,
      },
      {
        what: 'broken connections, requests without response',
        measured: predicted.failed + queued.failed,
        atMost: 0,
      },
      { what: 'memory after − before, MiB', measured: after - before, atMost: 32 },
      {
        what: 'steps of the job during the overload',
        measured: still.progress.step - progress.step,
        atLeast: 1,
      },
    ],
  };
}

function answers(floods: Readonly<Record<string, Flooded>>): Table {
  const rows = Object.entries(floods).flatMap(([name, { served, refused, seconds }]) =>
    Object.entries({ served, refused }).map(([what, latencies]) => [
      `${name}, ${what}`,
      readable(latencies.length),
      readable(latencies.length / seconds),
      readable(quantile(latencies, 0.5)),
      readable(quantile(latencies, 0.99)),
    ]),
  );
  return { heading: 'Answers', columns: ['', 'requests', 'a second', 'p50, ms', 'p99, ms'], rows };
}
