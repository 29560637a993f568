/** A receiver of webhooks on the loopback address. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { addCleanup, type Scope } from '../start-service.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly origin: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** Resolves when this many requests have been received. */
  until(count: number): Promise<readonly Received[]>;
}

/** @param respond called with the number of the request, from 1, once its body has been received */
export async function startReceiver(
  scope: Scope,
  respond: (response: ServerResponse, n: number) => void = (response) => void response.writeHead(204).end(),
): Promise<Receiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const server = createServer(async (request, response) => {
    const body = await text(request);
    received.push({ path: request.url!, headers: request.headers, body });
    respond(response, received.length);
    for (const check of waiting) check();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  addCleanup(scope, async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    received,
    async until(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const check = () => received.length >= count && resolve();
      waiting.add(check);
      check();
      await promise;
      waiting.delete(check);
      return received;
    },
  };
}
