/** Clients that disconnect before their response is complete. */
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Abort reason for work whose client disconnected. Not an error of the service, and it has no recipient. */
export class ClientDisconnected extends Error {
  override readonly name = 'ClientDisconnected';
}

/** Aborts when the connection closes before the response is complete. */
export function disconnectSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(new ClientDisconnected('The client disconnected.'));
  // If the client disconnected before the handler ran, the close event has already been emitted.
  if (reply.raw.closed) abort();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) abort();
  });
  return controller.signal;
}

/** Whether the client has disconnected. Later errors are ignored, because the disconnect usually causes them. */
export function isDisconnected(request: FastifyRequest, reply: FastifyReply): boolean {
  return reply.raw.destroyed || request.socket.destroyed === true;
}
