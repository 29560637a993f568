/** What each technique of src/tuning speeds up, and how long a comparison takes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ROOT } from '../measure/command.ts';
import { slowestHealthCheck } from '../measure/connecting.ts';
import { processorMicroseconds } from '../measure/load.ts';
import {
  cancelJob,
  isUnderway,
  peakMebibytes,
  residentMebibytes,
  type Server,
  startJob,
  untilJob,
} from '../measure/servers.ts';
import { quantile } from '../measure/statistics.ts';
import { steadyLatencies } from '../measure/steady.ts';

const RAW = { 'content-type': 'application/octet-stream' };
const IMAGE = new Uint8Array(784).fill(100);
const ENDLESS = 10_000;
const LARGE_REQUESTS = 5;

/** Less is better. */
export type Values = Readonly<Record<string, number>>;

export interface Technique {
  /** Variables of the service without the technique. */
  readonly off?: NodeJS.ProcessEnv;
  /** Part of the command of `npm start` that is left out without the technique. */
  readonly without?: string;
  /** Pairs of processes, because two processes of the same code differ for as long as they run. */
  readonly pairs: number;
  /** Turns of each process. */
  readonly turns: number;
  measure(server: Server): Promise<Values>;
}

const predictions = ({ url }: Server) => `${url}/v1/models/served/predictions`;

export const TECHNIQUES: Readonly<Record<string, Technique>> = {
  'accept-first': { pairs: 1, turns: 5, measure: connectWhileTraining },
  'access-line': { pairs: 3, turns: 14, measure: predictOne },
  'clear-vectors': { pairs: 3, turns: 4, measure: predictAndTrain },
  'collect-garbage': { pairs: 4, turns: 1, measure: restThenLargeRequests },
  'start-together': { pairs: 3, turns: 14, measure: predictOne },
  'time-slice': { pairs: 1, turns: 5, measure: latencyWhileTraining },
  'wide-vectors': { off: { WIDE_VECTORS: 'off' }, pairs: 1, turns: 6, measure: train },
  'mmap-threshold': { without: 'MALLOC_MMAP_THRESHOLD_=131072 ', pairs: 4, turns: 1, measure: largeRequests },
  'semi-space': { without: '--max-semi-space-size=8 ', pairs: 4, turns: 1, measure: largeRequests },
};

async function predictOne(server: Server): Promise<Values> {
  const load = { url: predictions(server), headers: RAW, body: IMAGE, connections: 16, seconds: 1 };
  return { 'processor time of a prediction, µs': await processorMicroseconds(server.pid, load) };
}

async function latencyWhileTraining({ url }: Server): Promise<Values> {
  const id = await startJob(url, 'busy', ENDLESS);
  await untilJob(url, id, isUnderway);
  await wait(1000);
  const load = { headers: RAW, body: IMAGE, perSecond: 500, seconds: 8 };
  const all = await steadyLatencies({ ...load, url: `${url}/v1/models/served/predictions` });
  await cancelJob(url, id);
  return {
    'p50 beside a job, ms': quantile(all, 0.5),
    'p99 beside a job, ms': quantile(all, 0.99),
  };
}

async function connectWhileTraining({ url }: Server): Promise<Values> {
  return { 'slowest response to a new connection, ms': await slowestHealthCheck(url) };
}

async function train({ url }: Server): Promise<Values> {
  const startedAt = performance.now();
  const id = await startJob(url, 'trained', 20);
  await untilJob(url, id, (job) => job.status === 'succeeded');
  return { 'a training of 20 epochs, s': (performance.now() - startedAt) / 1000 };
}

async function predictAndTrain(server: Server): Promise<Values> {
  return { ...(await predictOne(server)), ...(await train(server)) };
}

async function restThenLargeRequests(server: Server): Promise<Values> {
  await wait(30_000);
  const resting = residentMebibytes(server.pid);
  return { 'resident 30 s after the start, MiB': resting, ...(await largeRequests(server)) };
}

async function largeRequests(server: Server): Promise<Values> {
  const body = readFileSync(join(ROOT, 'data/fashion_mnist_test_images.npy'));
  const image = Array.from(body.subarray(-784));
  const json = JSON.stringify({ images: Array.from({ length: 10_000 }, () => image) });
  for (let n = 0; n < LARGE_REQUESTS; n++) {
    for (const [type, sent] of [
      ['application/x-npy', body],
      ['application/json', json],
    ] as const) {
      const response = await fetch(predictions(server), {
        method: 'POST',
        headers: { 'content-type': type },
        body: sent,
      });
      if (!response.ok) throw new Error(await response.text());
      await response.arrayBuffer();
    }
  }
  const peak = peakMebibytes(server.pid);
  await wait(3000);
  return {
    'resident at most, MiB': peak,
    'resident after large requests, MiB': residentMebibytes(server.pid),
  };
}
