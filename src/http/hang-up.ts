/** Clients that do not wait for their answer. */
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Nobody is there to be told, and nothing of ours failed. */
export class ClientHungUp extends Error {
  override readonly name = 'ClientHungUp';
}

/** Aborts when the connection closes before the answer is out. */
export function hangUpSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const hungUp = () => controller.abort(new ClientHungUp('The client hung up.'));
  // Whoever left before a handler ran is heard of no more.
  if (reply.raw.closed) hungUp();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) hungUp();
  });
  return controller.signal;
}

/** Whatever went wrong then is of no interest: as a rule it is the connection's end that did. */
export function hasHungUp(request: FastifyRequest, reply: FastifyReply): boolean {
  return reply.raw.destroyed || request.socket.destroyed === true;
}
