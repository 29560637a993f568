/** Load on a server, and what it takes. wrk, if installed, leaves the server more processor time. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { runJson } from './command.ts';
import { processorSeconds } from './processes.ts';

export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly connections: number;
  readonly seconds: number;
}

interface Outcome {
  readonly requests: number;
  readonly seconds: number;
  readonly failed: number;
}

const wrk = /^wrk \S+/.exec(spawnSync('wrk', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[0];
export const GENERATOR = wrk ?? 'autocannon';

/** @throws Error when a request fails */
export async function requestsPerSecond(load: Load): Promise<number> {
  const { requests, seconds } = await send(load);
  return requests / seconds;
}

/**
 * Processor time per request, of all threads. On a shared machine it varies less than the rate, and it does not count what
 * the load generator takes.
 * @throws Error when a request fails
 */
export async function processorMicroseconds(pid: number, load: Load): Promise<number> {
  const before = processorSeconds(pid);
  const { requests } = await send(load);
  return (1e6 * (processorSeconds(pid) - before)) / requests;
}

async function send(load: Load): Promise<Outcome> {
  const outcome = await (wrk ? byWrk(load) : byAutocannon(load));
  if (outcome.failed > 0) throw new Error(`${load.url}: ${outcome.failed} requests failed.`);
  return outcome;
}

async function byWrk({ url, headers, body, connections, seconds }: Load): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'atelier-load-'));
  try {
    const file = join(directory, 'body');
    writeFileSync(file, body);
    const script = join(import.meta.dirname, 'post.lua');
    const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', '-s', script, ...given];
    return await runJson<Outcome>({ program: 'wrk', args: [...options, url, '--', file] });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function byAutocannon({ url, headers, body, connections, seconds }: Load): Promise<Outcome> {
  const result = await autocannon({
    url,
    method: 'POST',
    headers: { ...headers },
    body: Buffer.from(body),
    connections,
    duration: seconds,
    timeout: 20,
  });
  const failed = result.non2xx + result.errors + result.timeouts;
  return { requests: result.requests.total, seconds: result.duration, failed };
}
