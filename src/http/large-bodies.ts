/** How many large bodies are in work at once: each takes memory and a place in the one thread that computes them. */
import type { FastifyInstance } from 'fastify';
import { AtelierError } from '../errors.ts';

/** What the main thread computes by itself is no larger. */
const LARGE_BYTES = 256 * 1024;
const MAX_LARGE_BODIES = 8;

/** Before a body is read; one that does not say how long it is counts as large. */
export function limitLargeBodies(scope: FastifyInstance): void {
  let inWork = 0;
  scope.addHook('onRequest', async (request, reply) => {
    const length = request.headers['content-length'];
    const chunked = request.headers['transfer-encoding'] !== undefined;
    if (!chunked && !(Number(length) > LARGE_BYTES)) return;
    if (inWork >= MAX_LARGE_BODIES) {
      throw new AtelierError(
        'overloaded',
        `${MAX_LARGE_BODIES} bodies of more than ${LARGE_BYTES / 1024} KiB are in work already. Try again shortly.`,
      );
    }
    inWork++;
    reply.raw.once('close', () => inWork--);
  });
}
