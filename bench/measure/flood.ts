/** More requests than a server can answer, and what became of each. */
import type { EventEmitter } from 'node:events';
import autocannon from 'autocannon';

export interface Flood {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly connections: number;
  /** How many leave, as far as earlier ones are answered: a connection waits for its answer. */
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Flooded {
  readonly seconds: number;
  /** Milliseconds from the sending of each request that was served, that is with a 2xx. */
  readonly served: readonly number[];
  /** 429 and 503 that say why, and when to come again. */
  readonly refused: readonly number[];
  /** "500", and what else is neither. */
  readonly improper: readonly string[];
  /** Connections that broke, and requests that were not answered within 20 s. */
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
    // The types know one of its events.
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
