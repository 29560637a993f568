/** Clients that stop sending, and clients that stop reading. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { answerClientError } from './client-error.ts';

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
    const message = `nothing of the body arrived for ${stallMs / 1000} seconds`;
    answerClientError(Object.assign(new Error(message), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  }
}
