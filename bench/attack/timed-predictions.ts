/** Predictions at a fixed rate, each timed; a rejected one counts as failed. */
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

export interface Timed {
  /** Milliseconds until the end of each response, of whatever status. */
  readonly latencies: readonly number[];
  readonly failed: number;
}

export async function timedPredictions(url: string, perSecond: number, seconds: number): Promise<Timed> {
  const agent = new Agent({ keepAlive: true });
  const pending: Promise<{ ms: number; ok: boolean }>[] = [];
  for (let n = 0; n < perSecond * seconds; n++) {
    pending.push(predict(url, agent));
    await wait(1000 / perSecond);
  }
  const all = await Promise.all(pending);
  agent.destroy();
  return { latencies: all.map(({ ms }) => ms), failed: all.filter(({ ok }) => !ok).length };
}

function predict(url: string, agent: Agent): Promise<{ ms: number; ok: boolean }> {
  const startedAt = performance.now();
  const headers = { 'content-type': 'application/octet-stream' };
  return new Promise((resolve) => {
    const end = (ok: boolean) => resolve({ ms: performance.now() - startedAt, ok });
    request(url, { method: 'POST', agent, headers }, (response) => {
      response.on('end', () => end(response.statusCode === 200)).resume();
    })
      .on('error', () => end(false))
      .end(new Uint8Array(784).fill(100));
  });
}
