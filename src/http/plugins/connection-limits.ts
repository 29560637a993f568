/** How long a connection may take for what, and how many there are. */
import type { FastifyInstance } from 'fastify';
import { closeStalled, enforceRequestTimeout } from './slow-clients.ts';

export interface ConnectionLimits {
  /** From the start of a request, or of the connection, to the end of the headers. */
  readonly headersMs: number;
  /** … to the end of the body, however steadily it arrives. */
  readonly requestMs: number;
  /** … that of a data set, which may be a thousand times as large. */
  readonly uploadMs: number;
  /** Without a byte from a client that is sending, or to one that is to read. */
  readonly stallMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** How often `headersMs` and `uploadMs` are looked at. */
  readonly checkMs: number;
  readonly connections: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  headersMs: 20_000,
  requestMs: 120_000,
  uploadMs: 3_600_000,
  stallMs: 30_000,
  // Longer than the minute of usual proxies, which would else send into a connection that is being closed.
  keepAliveMs: 72_000,
  checkMs: 5000,
  connections: 4000,
};
export const MAX_HEADER_BYTES = 16 * 1024;
/** Until the system asks a silent client whether it is still there. */
const PROBE_AFTER_MS = 60_000;

/** Of Fastify. */
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
      keepAliveInitialDelay: PROBE_AFTER_MS,
    },
  };
}

/** What Fastify has no option for. */
export function limitConnections(
  app: FastifyInstance,
  { requestMs, stallMs, connections }: ConnectionLimits,
): void {
  app.server.maxConnections = connections;
  closeStalled(app, stallMs);
  enforceRequestTimeout(app, requestMs);
}
