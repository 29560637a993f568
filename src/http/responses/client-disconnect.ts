/** Clients that disconnect before their response is complete. */
import type { FastifyReply, FastifyRequest } from 'fastify';

/** The reason of aborted work; not an error of the service, and there is no client to report it to. */
export class ClientDisconnected extends Error {
  override readonly name = 'ClientHungUp';
}

/** Aborts when the connection closes before the response is complete. */
export function disconnectSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(new ClientDisconnected('The client disconnected.'));
  // The close event of a client that left before the handler ran has already been emitted.
  if (reply.raw.closed) abort();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) abort();
  });
  return controller.signal;
}

/** Errors after a disconnect are ignored; they are usually caused by it. */
export function isDisconnected(request: FastifyRequest, reply: FastifyReply): boolean {
  return reply.raw.destroyed || request.socket.destroyed === true;
}
