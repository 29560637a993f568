/** Clients that do not wait for their answer. */
import type { FastifyReply } from 'fastify';

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
