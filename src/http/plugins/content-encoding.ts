/** Compressed bodies, which few routes take: as the bytes of an image they would be predicted without a word. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AtelierError } from '../../errors.ts';

/**
 * Before the body is read.
 * @throws AtelierError `unsupported-media-type`
 */
export function rejectEncodedBody(request: FastifyRequest, reply: FastifyReply, done: () => void) {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || /^\s*(identity)?\s*$/i.test(encoding)) return done();
  const { inflates } = request.routeOptions.config;
  if (inflates && /^\s*(gzip|deflate)\s*$/i.test(encoding)) return done();
  const allowed = inflates ? 'gzip, deflate, identity' : 'identity';
  // RFC 9110, section 15.5.16.
  reply.header('accept-encoding', allowed);
  const detail = `allowed: ${allowed}, or no such header`;
  throw new AtelierError(
    'unsupported-media-type',
    `Content-Encoding: ${encoding} is not taken; ${detail}. Send the body as it is, not compressed.`,
    { details: [{ parameter: 'Content-Encoding', detail }] },
  );
}
