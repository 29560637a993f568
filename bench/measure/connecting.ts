/** 500 clients that connect at once while a job trains on two threads, and what another client sees. */
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { cancelJob, isUnderway, type Job, post, untilJob } from './servers.ts';

const CHECKS = 20;

/** Milliseconds until the response to a request on a new connection. */
function checkHealth(url: URL): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const socket = connect(Number(url.port), url.hostname);
    socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    socket.on('error', () => {}).resume();
    socket.once('data', () => resolve(performance.now() - startedAt));
    socket.once('close', () => resolve(Number.POSITIVE_INFINITY));
  });
}

/** Milliseconds of the slowest of twenty checks. The service needs the model `served`. */
export async function slowestHealthCheck(url: string): Promise<number> {
  const training = { epochs: 10_000, threads: 2, batchSize: 256 };
  const network = { hidden: [512, 256] };
  const body = { dataset: 'fashion-mnist', modelName: 'busy', network, training };
  const { id } = await post<Job>(`${url}/v1/training-jobs`, body);
  await untilJob(url, id, isUnderway);
  const load = new Worker(new URL('../subjects/connecting.ts', import.meta.url), { workerData: url });
  const checks: Promise<number>[] = [];
  for (let n = 0; n < CHECKS; n++) {
    checks.push(checkHealth(new URL(url)));
    await wait(250);
  }
  const latencies = await Promise.all(checks);
  await load.terminate();
  await cancelJob(url, id);
  return Math.max(...latencies);
}
