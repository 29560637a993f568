/** Content negotiation. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AtelierError } from '../../errors.ts';

/** A parameter of a media range, but for its weight. */
const PARAMETER = /;\s*(?!q\s*=)[^\s;,="]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?/gi;

/**
 * The first of `offered` where the client does not care.
 * @param reason no more is offered, as a sentence
 * @throws AtelierError `not-acceptable`
 */
export function negotiate<const T extends string>(
  request: FastifyRequest,
  reply: FastifyReply,
  offered: readonly T[],
  reason?: string,
): T {
  const varies = reply.getHeader('vary');
  reply.header('vary', varies === undefined ? 'Accept' : `${varies}, Accept`);
  const { accept = '*/*' } = request.headers;
  // What nearly every client sends; parsing it takes as long as a prediction.
  if (accept === '*/*' || accept === offered[0]) return offered[0]!;
  // No two types of ours differ by a parameter alone: application/json;charset=utf-8 means application/json.
  request.raw.headers.accept = accept.replace(PARAMETER, '');
  const accepted = request.accepts().type([...offered]);
  if (typeof accepted !== 'string') {
    const because = reason === undefined ? '' : ` ${reason}`;
    throw new AtelierError(
      'not-acceptable',
      `Accept: ${accept} fits none of ${offered.join(', ')}.${because}`,
    );
  }
  return accepted as T;
}
