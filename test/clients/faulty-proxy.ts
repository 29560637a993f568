/** A proxy before the service that loses responses and sends errors, like a network. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { addCleanup, type Scope } from '../support/start-service.ts';

/** Handles a request instead of forwarding it; `forward` resolves with the response of the service. */
export type Fault = (response: ServerResponse, forward: () => Promise<Response>) => unknown;

export const loseResponse: Fault = (response, forward) => forward().then(() => response.destroy());
export const respond =
  (status: number, headers = {}): Fault =>
  (response) =>
    response.writeHead(status, headers).end();
export const inFlight: Fault = (response) =>
  response
    .writeHead(409, { 'content-type': 'application/problem+json', 'retry-after': '0' })
    .end(JSON.stringify({ code: 'request-in-flight', detail: 'It is in progress.' }));
/** Loses the connection in the middle of a stream of events. */
export const cutStream: Fault = async (response, forward) => {
  const events = await (await forward()).text();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(events.slice(0, events.length / 2), () => response.destroy());
};

/**
 * Forwards requests to the service. While it is down, connections are closed and 502 is sent in turn.
 * @param faults by method and end of the path; the first requests get them in order
 */
export async function startFaultyProxy(t: Scope, target: string, faults: Record<string, Fault[]>) {
  let refused = 0;
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const body = await buffer(request);
    const { host, connection, ...headers } = request.headers as Record<string, string>;
    const init = { method, headers, ...(method === 'POST' && { body }) };
    const forward = () => fetch(target + url, init);
    const name = Object.keys(faults).find((each) => `${method} ${url}`.includes(each));
    const fault = faults[name ?? '']?.shift();
    if (fault) return void (await fault(response, forward));
    const forwarded = await forward().catch(() => null);
    if (forwarded) {
      const type = forwarded.headers.get('content-type')!;
      const bytes = Buffer.from(await forwarded.arrayBuffer());
      response.writeHead(forwarded.status, { 'content-type': type }).end(bytes);
    } else if (refused++ % 2 === 0) response.destroy();
    else respond(502)(response, forward);
  }
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  addCleanup(t, async () => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
