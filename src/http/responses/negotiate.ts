/** Content negotiation: RFC 9110, section 12. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { AtelierError } from '../../errors.ts';

/** A parameter of a media range, except its weight. */
const PARAMETER = /;\s*(?!q\s*=)[^\s;,="]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?/gi;

/** Adds a request header to those that the response depends on. */
export function addVary(reply: FastifyReply, name: string): void {
  const varies = reply.getHeader('vary');
  reply.header('vary', varies === undefined ? name : `${varies}, ${name}`);
}

/**
 * Selects the type of the response; the first of `offered` is the default.
 * @param reason sentence that explains why other types are not offered
 * @throws AtelierError `not-acceptable`
 */
export function negotiate<const T extends string>(
  request: FastifyRequest,
  reply: FastifyReply,
  offered: readonly T[],
  reason?: string,
): T {
  const { accept } = request.headers;
  const accepted = preferredType(request, reply, offered);
  if (accepted !== undefined) return accepted;
  const because = reason === undefined ? '' : ` ${reason}`;
  throw new AtelierError(
    'not-acceptable',
    `Accept: ${accept} matches none of the available types: ${offered.join(', ')}.${because}`,
  );
}

/** Negotiates like `negotiate`, but returns undefined if no type is acceptable. */
export function preferredType<const T extends string>(
  request: FastifyRequest,
  reply: FastifyReply,
  offered: readonly T[],
): T | undefined {
  addVary(reply, 'Accept');
  const { accept = '*/*' } = request.headers;
  // The common cases; parsing takes as long as a prediction.
  if (accept === '*/*' || accept === offered[0]) return offered[0]!;
  // Parameters are ignored, since no two offered types differ in them alone: application/json;charset=utf-8 matches.
  const negotiator = new Negotiator({ headers: { accept: accept.replace(PARAMETER, '') } });
  return negotiator.mediaType([...offered]) as T | undefined;
}
