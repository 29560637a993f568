/** Rate limit: requests per minute of a key, or of an address without a key. */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { AtelierError } from '../../../errors.ts';
import { identifyClient } from '../connections/client.ts';
import { createLeasedCalls, type LeaseSource } from './leased-calls.ts';

export const RATE_LIMIT_WINDOW_MS = 60_000;

/**
 * @param leases counts the calls of all replicas; without it, each process counts its own
 * @returns a hook that must be called after `request.caller` is set
 */
export async function createRateLimit(app: FastifyInstance, maxPerMinute: number, leases?: LeaseSource) {
  const onUnavailable = (error: unknown) =>
    app.log.warn(
      { err: error },
      'the database is unavailable: this replica counts its part of the rate limit',
    );
  await app.register(rateLimit, {
    ...(leases && { store: createLeasedCalls(leases, onUnavailable) }),
    global: false,
    max: maxPerMinute,
    timeWindow: RATE_LIMIT_WINDOW_MS,
    enableDraftSpec: true,
    keyGenerator: identifyClient,
    errorResponseBuilder({ caller }, { ttl }) {
      const retryAfterSeconds = Math.ceil(ttl / 1000);
      const subject = caller === 'anonymous' ? 'your address' : `the key ${caller}`;
      const message = `The rate limit of ${maxPerMinute} requests per minute for ${subject} is exceeded. Try again in ${retryAfterSeconds} s.`;
      return new AtelierError('rate-limited', message, { retryAfterSeconds });
    },
  });
  return app.rateLimit();
}
