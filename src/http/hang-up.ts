/** Clients that do not wait for their answer. */
import type { FastifyReply } from 'fastify';

/** Aborts when the connection closes before the answer is out. */
export function hangUpSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new Error('The client hung up.'));
  });
  return controller.signal;
}
