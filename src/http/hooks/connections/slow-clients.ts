/** Timeouts of clients that stop sending, send too slowly, or stop reading. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type OnTimeout, rejectWithTimeout } from '../../errors/client-error.ts';
import type { OnLimit } from './client.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route receives a data set, which exempts it from the request timeout of other bodies. */
    upload?: boolean;
  }
}

/**
 * Rejects a body with 408 when no byte of it arrives for `stallMs`, and closes the connection of a client that reads
 * no byte of its response for that time. Only the time since the last byte counts.
 * @param stallMs must equal Fastify's `connectionTimeout`, after which the response emits `timeout`
 */
export function closeStalled(
  app: FastifyInstance,
  stallMs: number,
  onTimeout: OnTimeout,
  onLimit: OnLimit,
): void {
  app.addHook('onRequest', (_request, reply, done) => {
    // Without a listener, Node closes the connection on timeout, even while its request is being processed.
    reply.raw.on('timeout', () => closeIfStalled(reply, stallMs, onTimeout, onLimit));
    done();
  });
}

function closeIfStalled(reply: FastifyReply, stallMs: number, onTimeout: OnTimeout, onLimit: OnLimit): void {
  const { raw: body, socket, log, method, url } = reply.request;
  if (socket.destroyed) return;
  if (socket.writableLength > 0) {
    log.info({ method, url }, 'client stopped reading');
    onLimit('rate');
    socket.destroy();
  } else if (!body.complete) {
    const message = `no byte of the body arrived for ${stallMs / 1000} seconds`;
    rejectWithTimeout(reply, 'body stalled', message, onTimeout);
  }
}

/** Rejects a body with 408 when it has not arrived completely after `requestMs`, however steadily it is sent. */
export function enforceRequestTimeout(app: FastifyInstance, requestMs: number, onTimeout: OnTimeout): void {
  let starting: FastifyReply[] = [];
  /** A small body arrives in the same turn of the event loop as the headers, and needs no timer. */
  function startTimers(): void {
    for (const reply of starting) if (!reply.request.raw.complete && !reply.raw.closed) startTimer(reply);
    starting = [];
  }
  function startTimer(reply: FastifyReply): void {
    const { raw: body, socket, routeOptions } = reply.request;
    const hasBody = 'content-length' in body.headers || 'transfer-encoding' in body.headers;
    if (!hasBody || routeOptions.config.upload) return;
    const timer = setTimeout(() => {
      if (socket.destroyed || body.complete) return;
      const message = `the body did not arrive within ${requestMs / 1000} seconds`;
      rejectWithTimeout(reply, 'body too slow', message, onTimeout);
    }, requestMs).unref();
    reply.raw.once('close', () => clearTimeout(timer));
  }
  app.addHook('onRequest', (_request, reply, done) => {
    if (starting.push(reply) === 1) setImmediate(startTimers);
    done();
  });
}
