/**
 * Attack: a disk whose syncs are slow, while a job on a small data set records its epochs. Needs strace.
 * usage: node bench/attack/slow-sync.ts [DELAY …], added to each sync in ms; by default 0 5 20 100
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ROOT } from '../measure/command.ts';
import {
  cancelJob,
  isUnderway,
  type Server,
  startAtelier,
  trainModel,
  untilJob,
  withState,
} from '../measure/servers.ts';
import { quantile, readable } from '../measure/statistics.ts';
import { timedPredictions } from './timed-predictions.ts';

const DATASET = join(ROOT, 'test/fixtures/datasets/digits.npz');
const PER_SECOND = 100;
const SECONDS = 10;
const STARTS_MS = 1000;

async function post<T>(
  url: string,
  body: string | FormData,
  headers: Record<string, string> = {},
): Promise<T> {
  const response = await fetch(url, { method: 'POST', headers, body });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as T;
}

async function upload({ url }: Server): Promise<string> {
  const form = new FormData();
  form.set('name', 'Digits');
  form.set('file', new Blob([readFileSync(DATASET)]), 'digits.npz');
  return (await post<{ id: string }>(`${url}/v1/datasets`, form)).id;
}

/** Delays each sync of the process before it begins, and records them. */
async function delaySyncs(pid: number, ms: number, log: string): Promise<ChildProcess> {
  const calls = 'fdatasync,fsync';
  const args = ['-f', '-p', `${pid}`, '-o', log, '-e', `trace=${calls}`];
  if (ms > 0) args.push('-e', `inject=${calls}:delay_enter=${ms * 1000}`);
  const strace = spawn('strace', args, { stdio: 'ignore' });
  await once(strace, 'spawn');
  await wait(STARTS_MS);
  return strace;
}

async function measure(server: Server, dataset: string, ms: number, log: string): Promise<string> {
  const body = JSON.stringify({ dataset, modelName: 'busy', training: { epochs: 10_000 } });
  const headers = { 'content-type': 'application/json' };
  const { id } = await post<{ id: string }>(`${server.url}/v1/training-jobs`, body, headers);
  await untilJob(server.url, id, isUnderway);
  const strace = await delaySyncs(server.pid, ms, log);
  const { latencies, failed } = await timedPredictions(
    `${server.url}/v1/models/served/predictions`,
    PER_SECOND,
    SECONDS,
  );
  strace.kill('SIGINT');
  await once(strace, 'exit');
  await cancelJob(server.url, id);
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((q) => readable(quantile(latencies, q)));
  // The main thread has the id of the process.
  const syncs = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => /sync\(/.test(line));
  const main = syncs.filter((line) => line.startsWith(`${server.pid} `)).length;
  return (
    `syncs of ${ms} ms: predictions p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, ${failed} failed; ` +
    `${syncs.length} syncs, ${main} of them in the main thread`
  );
}

const delays = process.argv.slice(2).map(Number);
await withState(async (state) => {
  const server = await startAtelier(state);
  try {
    await trainModel(server.url, 'served');
    const dataset = await upload(server);
    for (const ms of delays.length > 0 ? delays : [0, 5, 20, 100]) {
      console.log(await measure(server, dataset, ms, join(state, 'syncs')));
    }
  } finally {
    await server.stop();
  }
});
