/**
 * Latencies at a fixed rate. Requests leave when their time has come, whether or not earlier ones were answered: a
 * server that stalls is asked on, and every request that waits is counted. (autocannon sends a second's requests at once.)
 */
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

export interface SteadyLoad {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly perSecond: number;
  readonly seconds: number;
}

/** Milliseconds from the sending of each request to the end of its answer. */
export async function steadyLatencies(load: SteadyLoad): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const latencies: Promise<number>[] = [];
  const count = load.perSecond * load.seconds;
  const startedAt = performance.now();
  while (latencies.length < count) {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * load.perSecond) + 1;
    while (latencies.length < Math.min(due, count)) latencies.push(ask(load, agent));
    await wait(1);
  }
  const all = await Promise.all(latencies);
  agent.destroy();
  return all;
}

function ask({ url, headers, body }: SteadyLoad, agent: Agent): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const startedAt = performance.now();
  const options = { method: 'POST', agent, headers: { ...headers, 'content-length': body.length } };
  request(url, options, (response) => {
    if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}`));
    response.on('end', () => resolve(performance.now() - startedAt)).resume();
  })
    .on('error', reject)
    .end(body);
  // Looked at only when all have been sent.
  promise.catch(() => {});
  return promise;
}
