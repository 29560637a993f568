/** Content negotiation. */
import type { FastifyRequest } from 'fastify';
import { AtelierError } from '../errors.ts';

/**
 * The first of `offered` where the client does not care.
 * @throws AtelierError `not-acceptable`
 */
export function negotiate<const T extends string>(request: FastifyRequest, offered: readonly T[]): T {
  const accepted = request.accepts().type([...offered]);
  if (typeof accepted !== 'string') {
    throw new AtelierError(
      'not-acceptable',
      `Accept: ${request.headers.accept} fits none of ${offered.join(', ')}.`,
    );
  }
  return accepted as T;
}
