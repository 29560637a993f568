/** ETags and conditional reads: RFC 9110, section 13. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AtelierError } from '../../errors.ts';
import { matchesTag, withoutEncoding } from './entity-tags.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by `registerEtag`: responses carry an ETag, and 304 is possible. */
    etag?: true;
  }
}

/** Adds ETags to the GET routes that are registered in `scope` afterwards; a handler may have set another one. */
export function registerEtag(scope: FastifyInstance): void {
  scope.addHook('onRoute', (route) => {
    if (route.method === 'GET') route.config = { ...route.config!, etag: true };
  });
  scope.addHook('onSend', async (request, reply, payload) => {
    if (reply.statusCode !== 200 || !isRead(request)) return payload;
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return payload;
    const tag = String(reply.getHeader('etag') ?? contentTag(payload));
    reply.header('etag', tag);
    if (!isFresh(request, tag)) return payload;
    reply.code(304);
    return '';
  });
}

/** The strong tag of a representation. */
export function contentTag(content: string | Buffer): string {
  return `"${createHash('sha1').update(content).digest('base64url')}"`;
}

/**
 * Evaluates the conditions of a read, in the order of RFC 9110, section 13.2.2.
 * @param tag strong ETag
 * @returns whether the client has the representation already, by If-None-Match
 * @throws AtelierError `precondition-failed` if it requires another one, by If-Match
 */
export function isFresh(request: FastifyRequest, tag: string): boolean {
  if (!isRead(request)) return false;
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch, range } = request.headers;
  // A range is never compressed, so it does not continue the compressed representation.
  const required = ifMatch !== undefined && range === undefined ? withoutEncoding(ifMatch) : ifMatch;
  if (required !== undefined && !matchesTag(required, tag, 'strong')) {
    throw new AtelierError(
      'precondition-failed',
      `If-Match: ${ifMatch} does not match the current ETag ${tag}. Read the resource again from its start.`,
      { details: [{ parameter: 'If-Match', detail: `The current ETag is ${tag}.` }] },
    );
  }
  return ifNoneMatch !== undefined && matchesTag(withoutEncoding(ifNoneMatch), tag, 'weak');
}

function isRead({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}
