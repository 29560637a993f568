/** Attack: 500 clients connect at once while a job trains on two threads; health is checked by new connections. */
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { cancelJob, isUnderway, startAtelier, trainModel, untilJob, withState } from '../measure/servers.ts';
import { readable } from '../measure/statistics.ts';

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

await withState(async (state) => {
  const { url, stop } = await startAtelier(state);
  try {
    await trainModel(url, 'served');
    const training = { epochs: 10_000, threads: 2, batchSize: 256 };
    const body = JSON.stringify({
      dataset: 'fashion-mnist',
      modelName: 'busy',
      network: { hidden: [512, 256] },
      training,
    });
    const headers = { 'content-type': 'application/json' };
    const job = (await (
      await fetch(`${url}/v1/training-jobs`, { method: 'POST', headers, body })
    ).json()) as { id: string };
    await untilJob(url, job.id, isUnderway);
    const load = new Worker(new URL('../subjects/connecting.ts', import.meta.url), { workerData: url });
    const checks: Promise<number>[] = [];
    for (let n = 0; n < CHECKS; n++) {
      checks.push(checkHealth(new URL(url)));
      await wait(250);
    }
    const latencies = await Promise.all(checks);
    console.log(`health by new connections, every 250 ms: ${latencies.map(readable).join(', ')} ms`);
    console.log(`worst: ${readable(Math.max(...latencies))} ms`);
    await load.terminate();
    await cancelJob(url, job.id);
  } finally {
    await stop();
  }
});
