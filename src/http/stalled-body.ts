/** Bodies that stop arriving. */
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { answerClientError } from './client-error.ts';

/** Long for a network that stutters, short for a place among the requests in work. */
const MAX_IDLE_MS = 30_000;

/** A body of which nothing comes for so long is answered with 408, and its connection closed. */
export function answerStalledBodies(app: FastifyInstance, maxIdleMs = MAX_IDLE_MS): void {
  app.addHook('onRequest', async ({ raw: body, socket, log, method, url }, { raw: response }) => {
    if (body.headers['content-length'] === undefined && body.headers['transfer-encoding'] === undefined)
      return;
    // As app.inject has none.
    if (!(socket instanceof Socket)) return;
    // On the response, since Node ends the connection of a whole request whose timeout nobody hears. Nothing but the time since the last bytes is measured: whoever sends, however slowly, goes on.
    response.setTimeout(maxIdleMs, () => {
      if (body.complete || socket.destroyed) return;
      log.info({ method, url, status: 408 }, 'the body stopped arriving');
      const message = `nothing of the body arrived for ${maxIdleMs / 1000} seconds`;
      answerClientError(Object.assign(new Error(message), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
    });
  });
}
