/**
 * Latencies at a fixed rate. Requests are sent on time even if earlier ones are pending, so every request delayed by a
 * stall is counted. (autocannon sends the requests of a second at once.)
 */
import { node, runJson } from './command.ts';

export interface SteadyLoad {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly perSecond: number;
  readonly seconds: number;
}

/** V8 flags of the sender: its garbage collections are rare, and no threads of them delay the server. */
const QUIET = ['--single-threaded-gc', '--max-semi-space-size=64'];

/**
 * Milliseconds from sending each request to the end of its response.
 * @throws Error if a connection fails, or a response is not a 200
 */
export function steadyLatencies({ url, headers, body, perSecond, seconds }: SteadyLoad): Promise<number[]> {
  const { hostname, port, pathname, search } = new URL(url);
  const fields = { host: hostname, ...headers, 'content-length': body.length };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = `POST ${pathname}${search} HTTP/1.1\r\n${head.join('')}\r\n${Buffer.from(body).toString('latin1')}`;
  const load = { host: hostname, port: Number(port), request, perSecond, seconds };
  const { program, args } = node('subjects/steady.ts', JSON.stringify(load));
  return runJson({ program, args: [...QUIET, ...args] });
}
