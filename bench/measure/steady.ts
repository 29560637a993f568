/**
 * Latencies at a fixed rate. Requests are sent on time even if earlier ones are pending, so every request delayed by a
 * stall is counted. (autocannon sends the requests of a second at once.)
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

/** Milliseconds from sending each request to the end of its response. */
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
    if (response.statusCode !== 200) reject(new Error(`${url} responded with ${response.statusCode}.`));
    response.on('end', () => resolve(performance.now() - startedAt)).resume();
  })
    .on('error', reject)
    .end(body);
  // Awaited only after all requests have been sent.
  promise.catch(() => {});
  return promise;
}
