/** The HTTP server before the application exists: bound first, it responds 503 until the application takes over. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import type { FastifyServerFactory } from 'fastify';
import type { Config } from '../config/read.ts';
import { AtelierError } from '../errors.ts';
import { JSON_TYPE } from './conditional/prepared.ts';
import { DEFAULT_RETRY_AFTER_SECONDS } from './errors/error-handler.ts';
import { toProblem } from './errors/problem.ts';
import { errorFormatForUrl, PROTOCOL_ERRORS } from './errors/protocol-errors.ts';
import { SECURITY_HEADERS } from './hooks/access/security-headers.ts';
import { CONNECTION_LIMITS, connectionOptions } from './hooks/connections/limits.ts';
import { stripBasePath } from './hooks/lifecycle/base-path.ts';
import { generateRequestId } from './hooks/lifecycle/request-id.ts';
import { readTraceparent } from './hooks/lifecycle/trace-context.ts';
import { drainRequest } from './responses/drain-request.ts';
import { asksForEvents, RECONNECT_HEADERS, reconnectMessage } from './responses/events/reconnect-stream.ts';

/** Largest body that is read to its end. */
const MAX_DRAINED_BYTES = 2 ** 20;

/**
 * Binds the port, unless it is shared: then it is bound by `handOver`, because until then the other processes serve it,
 * and this one could only reject.
 * @throws AtelierError `invalid-configuration` if the address cannot be used
 */
export async function bindServer(
  config: Pick<Config, 'host' | 'port' | 'basePath' | 'reusePort' | 'corsOrigins'>,
) {
  const { http, connectionTimeout, ...timeouts } = connectionOptions(CONNECTION_LIMITS);
  const respond = (request: IncomingMessage, response: ServerResponse) =>
    void respondStarting(request, response, config);
  const server = createServer({ ...http, ...timeouts, requireHostHeader: false }, respond);
  server.setTimeout(connectionTimeout);
  server.maxConnections = CONNECTION_LIMITS.connections;
  if (!config.reusePort) await listen(server, config);
  let application: (request: IncomingMessage, response: ServerResponse) => void = respond;
  return {
    server,
    port: config.reusePort ? config.port : (server.address() as AddressInfo).port,
    /** For Fastify, whose handler then waits for `handOver`. */
    serverFactory: ((handler) => {
      application = handler;
      return server;
    }) satisfies FastifyServerFactory,
    /**
     * Passes further requests to the application, also requests on open connections. The application must be ready.
     * @returns the address
     */
    async handOver(): Promise<string> {
      server.off('request', respond).on('request', application);
      if (config.reusePort) await listen(server, config);
      const { address, port } = server.address() as AddressInfo;
      return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
    },
  };
}

type Address = Pick<Config, 'host' | 'port' | 'reusePort'>;

async function listen(server: Server, { host, port, reusePort }: Address): Promise<void> {
  try {
    await once(server.listen({ host, port, reusePort }), 'listening');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const advice =
      code === 'EADDRINUSE'
        ? 'Another process uses the port; set PORT to another one.'
        : 'Check HOST and PORT.';
    const message = `Cannot listen on HOST=${host} PORT=${port} (${code}). ${advice}`;
    throw new AtelierError('invalid-configuration', message, { cause });
  }
  if (host !== 'localhost') return;
  const bound = server.address() as AddressInfo;
  const other = bound.address === '::1' ? '127.0.0.1' : '::1';
  await bindSecond(server, { host: other, port: bound.port, reusePort });
}

/** `localhost` has two addresses, and clients try either first. If the second one is not available, the first suffices. */
async function bindSecond(server: Server, { host, port, reusePort }: Address): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const second = createSocketServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    server.emit('connection', socket),
  );
  second.maxConnections = server.maxConnections;
  second.on('error', () => resolve()).listen({ host, port, reusePort }, resolve);
  server.once('close', () => second.close());
  await promise;
}

async function respondStarting(
  request: IncomingMessage,
  response: ServerResponse,
  { basePath, corsOrigins }: Pick<Config, 'basePath' | 'corsOrigins'>,
): Promise<void> {
  const requestId = generateRequestId(request);
  const { origin } = request.headers;
  if (origin !== undefined && corsOrigins.includes(origin)) {
    response.setHeader('access-control-allow-origin', origin);
  }
  if (asksForEvents({ url: stripBasePath(basePath)(request), headers: request.headers })) {
    response.writeHead(200, { ...SECURITY_HEADERS, 'x-request-id': requestId, ...RECONNECT_HEADERS });
    response.end(reconnectMessage('The service is starting.'));
    return;
  }
  const { status, type, body } = describeState(request, basePath, requestId);
  // Without the close, Node would read the rest of the body until the request times out.
  if (!(await drainRequest(request, MAX_DRAINED_BYTES))) response.setHeader('connection', 'close');
  if (status === 503) response.setHeader('retry-after', DEFAULT_RETRY_AFTER_SECONDS);
  response.writeHead(status, { ...SECURITY_HEADERS, 'x-request-id': requestId, 'content-type': type });
  response.end(JSON.stringify(body));
}

/** Probes get the same bodies as from the application, every other request a problem. */
function describeState(
  request: IncomingMessage,
  basePath: string,
  requestId: string,
): { status: number; type: string; body: object } {
  const route = stripBasePath(basePath)(request);
  const path = route.split('?', 1)[0]!;
  if (path === '/') return { status: 200, type: PROTOCOL_ERRORS.type, body: { status: 'alive' } };
  const [, v2, probe] = /^(\/v2)?\/health\/(live|ready)$/.exec(path) ?? [];
  const type = v2 ? PROTOCOL_ERRORS.type : JSON_TYPE;
  if (probe === 'live') return { status: 200, type, body: { live: true } };
  if (probe === 'ready') {
    const checks = { database: false, datasets: false, accepting: false, storage: true };
    return { status: 503, type, body: { ready: false, ...(v2 ? { live: true } : { checks }) } };
  }
  const message =
    'The service is starting: it checks and migrates its database, which takes seconds if it is large, and loads its newest model. Try again shortly.';
  const error = new AtelierError('starting', message);
  const problem = toProblem(error, request.url ?? '/', requestId, readTraceparent(request.headers));
  const format = errorFormatForUrl(route);
  return { status: problem.status, type: format.type, body: format.toBody(problem) };
}
