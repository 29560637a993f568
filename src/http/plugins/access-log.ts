/** Access log: one line per request, written after its response. */
import type { FastifyInstance } from 'fastify';
import type { Config } from '../../config.ts';

/** First status that ACCESS_LOG=errors logs: a rejected request is the client's error, and as interesting as ours. */
const FIRST_ERROR_STATUS = 400;

export function logRequests(app: FastifyInstance, accessLog: Config['accessLog']): void {
  if (accessLog === 'off') return;
  const firstStatus = accessLog === 'errors' ? FIRST_ERROR_STATUS : 0;
  app.addHook('onResponse', (request, reply, done) => {
    if (reply.statusCode < firstStatus) return done();
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
