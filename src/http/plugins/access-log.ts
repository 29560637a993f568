/** Access log: one line per request, written after its response. */
import type { FastifyInstance } from 'fastify';

export function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url, caller } = request;
    request.log.info(
      {
        method,
        url,
        status: reply.statusCode,
        durationMs: reply.elapsedTime,
        // Without configured keys every caller is anonymous.
        ...(caller !== 'anonymous' && { caller }),
      },
      'request completed',
    );
    done();
  });
}
