/** Clients that stop sending, or send slowly, and clients that stop reading. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { rejectWithTimeout } from '../errors/time-out.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Takes a data set: its body may arrive for longer than others. */
    upload?: boolean;
  }
}

/**
 * Answers a body of which nothing comes for so long with 408, and closes the connection; closes that of a client that
 * takes nothing of its answer for so long. Nothing but the time since the last bytes is measured here.
 * @param stallMs Fastify's `connectionTimeout`
 */
export function closeStalled(app: FastifyInstance, stallMs: number): void {
  app.addHook('onRequest', (_request, reply, done) => {
    // Node closes the connection itself where nobody listens, also that of a request which is worked on.
    reply.raw.on('timeout', () => closeIfStalled(reply, stallMs));
    done();
  });
}

function closeIfStalled(reply: FastifyReply, stallMs: number): void {
  const { raw: body, socket, log, method, url } = reply.request;
  if (socket.destroyed) return;
  if (socket.writableLength > 0) {
    log.info({ method, url }, 'the client stopped reading');
    socket.destroy();
  } else if (!body.complete) {
    rejectWithTimeout(
      reply,
      'the body stopped arriving',
      `nothing of the body arrived for ${stallMs / 1000} seconds`,
    );
  }
}

/** Answers a body that has not arrived after so long with 408, however steadily it comes. */
export function enforceRequestTimeout(app: FastifyInstance, requestMs: number): void {
  app.addHook('onRequest', (request, reply, done) => {
    done();
    const { raw: body, socket } = request;
    const hasBody = 'content-length' in body.headers || 'transfer-encoding' in body.headers;
    if (!hasBody || request.routeOptions.config.upload) return;
    const timer = setTimeout(() => {
      if (socket.destroyed || body.complete) return;
      rejectWithTimeout(
        reply,
        'the body arrived too slowly',
        `the body did not arrive within ${requestMs / 1000} seconds`,
      );
    }, requestMs).unref();
    reply.raw.once('close', () => clearTimeout(timer));
  });
}
