/** ETags, and answers without a body to whoever has it already: RFC 9110, section 13.1.2. */
import etag from '@fastify/etag';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** For the routes of `app`. */
export async function registerEtag(app: FastifyInstance): Promise<void> {
  // It would know a single tag only.
  await app.register(etag, { replyWith304: false });
  app.addHook('onSend', async (request, reply, payload) => {
    const tag = reply.getHeader('etag');
    if (reply.statusCode !== 200 || typeof tag !== 'string' || !isFresh(request, tag)) return payload;
    reply.code(304);
    return '';
  });
}

/** By a tag, weak or not, by one of a list, or by `*`. */
export function isFresh({ method, headers }: FastifyRequest, tag: string): boolean {
  const known = headers['if-none-match'];
  if (known === undefined || (method !== 'GET' && method !== 'HEAD')) return false;
  return known.split(',').some((one) => ['*', tag, `W/${tag}`].includes(one.trim()));
}
