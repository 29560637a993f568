/** Time limits of connections and requests, and the number of connections. */
export const CONNECTION_LIMITS = {
  /** From the start of a request, or of the connection, to the end of the headers. */
  headersMs: 20_000,
  /** From the end of a request's headers to the end of its body, however steadily it arrives. */
  requestMs: 120_000,
  /** From the start of a request to the end of its body, for uploads of data sets; `requestMs` excludes them. */
  uploadMs: 3_600_000,
  /** Time without a byte of a body. A response must be read at the minimum rate over this time. */
  stallMs: 30_000,
  /**
   * Idle time between two requests. Longer than the usual minute of proxies: otherwise, a proxy could use a connection that
   * is being closed.
   */
  keepAliveMs: 72_000,
  minReadBytesPerSecond: 16 * 1024,
  /** Time without a byte to a client that follows events. */
  eventStallMs: 10_000,
  /** Interval at which the progress of clients is measured. */
  measureMs: 500,
  /** Interval at which `headersMs` and `uploadMs` are checked. */
  checkMs: 5000,
  connections: 4000,
  /** Requests of a connection whose responses have not ended. */
  pipelined: 16,
};
export type ConnectionLimits = Readonly<typeof CONNECTION_LIMITS>;

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
