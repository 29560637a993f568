/** Clients that stop sending, or send slowly, and clients that stop reading. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { answerClientError } from './client-error.ts';

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
export function cutStalledClients(app: FastifyInstance, stallMs: number): void {
  app.addHook('onRequest', (request, reply, done) => {
    // Node closes the connection itself where nobody listens, also that of a request which is worked on.
    reply.raw.on('timeout', () => cutIfStalled(request, stallMs));
    done();
  });
}

function cutIfStalled({ raw: body, socket, log, method, url }: FastifyRequest, stallMs: number): void {
  if (socket.destroyed) return;
  if (socket.writableLength > 0) {
    log.info({ method, url }, 'the client stopped reading');
    socket.destroy();
  } else if (!body.complete) {
    log.info({ method, url, status: 408 }, 'the body stopped arriving');
    timeOut(socket, `nothing of the body arrived for ${stallMs / 1000} seconds`, url);
  }
}

/** Answers a body that has not arrived after so long with 408, however steadily it comes. */
export function cutSlowClients(app: FastifyInstance, requestMs: number): void {
  app.addHook('onRequest', (request, reply, done) => {
    done();
    const { raw: body, socket, log, method, url } = request;
    const hasBody = 'content-length' in body.headers || 'transfer-encoding' in body.headers;
    if (!hasBody || request.routeOptions.config.upload) return;
    const timer = setTimeout(() => {
      if (socket.destroyed || body.complete) return;
      log.info({ method, url, status: 408 }, 'the body arrived too slowly');
      timeOut(socket, `the body did not arrive within ${requestMs / 1000} seconds`, url);
    }, requestMs).unref();
    reply.raw.once('close', () => clearTimeout(timer));
  });
}

function timeOut(socket: FastifyRequest['socket'], message: string, url: string): void {
  answerClientError(Object.assign(new Error(message), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket, url);
}
