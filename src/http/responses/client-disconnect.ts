/** Clients that do not wait for their answer. */
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Nobody is there to be told, and nothing of ours failed. */
export class ClientDisconnected extends Error {
  override readonly name = 'ClientHungUp';
}

/** Aborts when the connection closes before the answer is out. */
export function disconnectSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(new ClientDisconnected('The client hung up.'));
  // Whoever left before a handler ran is heard of no more.
  if (reply.raw.closed) abort();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) abort();
  });
  return controller.signal;
}

/** Whatever went wrong then is of no interest: as a rule it is the connection's end that did. */
export function isDisconnected(request: FastifyRequest, reply: FastifyReply): boolean {
  return reply.raw.destroyed || request.socket.destroyed === true;
}
