/** Time limits of connections and requests, and the number of connections. */
import type { FastifyInstance } from 'fastify';
import type { OnTimeout } from '../../errors/client-error.ts';
import type { OnLimit } from './client.ts';
import { endSlowClients, type SlowClientLimits, type SlowClients } from './slow-clients.ts';

export interface ConnectionLimits extends SlowClientLimits {
  /** From the start of a request, or of the connection, to the end of the headers. */
  readonly headersMs: number;
  /** From the start of a request to the end of its body, for uploads of data sets; `requestMs` excludes them. */
  readonly uploadMs: number;
  /** Idle time between two requests. */
  readonly keepAliveMs: number;
  /** Interval at which `headersMs` and `uploadMs` are checked. */
  readonly checkMs: number;
  readonly connections: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  headersMs: 20_000,
  requestMs: 120_000,
  uploadMs: 3_600_000,
  stallMs: 30_000,
  // Longer than the usual minute of proxies: otherwise, a proxy could use a connection that is being closed.
  keepAliveMs: 72_000,
  minReadBytesPerSecond: 16 * 1024,
  eventStallMs: 10_000,
  measureMs: 500,
  checkMs: 5000,
  connections: 4000,
};
/** Longest id or name in a path; a longer one results in 404. */
export const MAX_PATH_PARAMETER_CHARS = 128;
/** Size limit of the request line and all headers. */
export const MAX_HEADER_BYTES = 16 * 1024;
/** Idle time before TCP keep-alive probes a silent client. */
export const TCP_KEEP_ALIVE_MS = 60_000;

/** The limits that Fastify has options for. */
export function connectionOptions({ headersMs, uploadMs, stallMs, keepAliveMs, checkMs }: ConnectionLimits) {
  return {
    requestTimeout: uploadMs,
    keepAliveTimeout: keepAliveMs,
    connectionTimeout: stallMs,
    http: {
      headersTimeout: headersMs,
      connectionsCheckingInterval: checkMs,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    },
  };
}

/** The limits that Fastify has no options for. Call it before other hooks. */
export function limitConnections(
  app: FastifyInstance,
  limits: ConnectionLimits,
  onTimeout: OnTimeout,
  onLimit: OnLimit,
): SlowClients {
  app.server.maxConnections = limits.connections;
  return endSlowClients(app, limits, onTimeout, onLimit);
}
