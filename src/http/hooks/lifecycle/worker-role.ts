/** ROLE=worker: every request without a route is rejected, because only health and metrics have routes. */
import type { FastifyInstance } from 'fastify';
import { AtelierError } from '../../../errors.ts';

export function rejectOnWorker(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.is404) {
      throw new AtelierError(
        'worker-replica',
        'This replica has ROLE=worker: it trains, and serves only /health and /metrics. Send the request to a replica with ROLE=api or ROLE=all.',
      );
    }
    done();
  });
}
