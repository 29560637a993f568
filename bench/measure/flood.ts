/** Overload: more requests than a server can handle, and the outcome of each. */
import type { EventEmitter } from 'node:events';
import autocannon from 'autocannon';

export interface Flood {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly connections: number;
  /** Target rate; lower if connections are still waiting for responses. */
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Flooded {
  readonly seconds: number;
  /** Milliseconds until each 2xx response. */
  readonly served: readonly number[];
  /** Milliseconds until each 429 or 503 with a problem document and Retry-After. */
  readonly refused: readonly number[];
  /** Statuses of all other responses. */
  readonly improper: readonly string[];
  /** Broken connections, and requests without a response within 20 s. */
  readonly failed: number;
}

export async function flood(load: Flood): Promise<Flooded> {
  const served: number[] = [];
  const refused: number[] = [];
  const improper: string[] = [];
  const { duration, errors } = await autocannon({
    url: load.url,
    method: 'POST',
    headers: { ...load.headers },
    body: Buffer.from(load.body),
    connections: load.connections,
    overallRate: load.perSecond,
    duration: load.seconds,
    timeout: 20,
    // The types declare only one of its events.
    setupClient(client: EventEmitter) {
      let isProper = false;
      client.on('headers', ({ headers }: { headers: string[] }) => {
        const names = new Map(headers.map((text, n) => [text.toLowerCase(), headers[n + 1]]));
        const problem = names.get('content-type')?.startsWith('application/problem+json');
        isProper = problem === true && /^[1-9]\d*$/.test(names.get('retry-after') ?? '');
      });
      client.on('response', (status: number, _bytes: number, milliseconds: number) => {
        if (status >= 200 && status < 300) served.push(milliseconds);
        else if ((status === 429 || status === 503) && isProper) refused.push(milliseconds);
        else improper.push(String(status));
      });
    },
  });
  return { seconds: duration, served, refused, improper, failed: errors };
}
