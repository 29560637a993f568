/** ETags and conditional reads: RFC 9110, section 13.1.2. */
import { createHash } from 'node:crypto';
import etag from '@fastify/etag';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by `registerEtag`: responses carry an ETag, and 304 is possible. */
    etag?: true;
  }
}

/** Adds ETags to the GET routes that are registered in `scope` afterwards. */
export async function registerEtag(scope: FastifyInstance): Promise<void> {
  scope.addHook('onRoute', (route) => {
    if (route.method === 'GET') route.config = { ...route.config!, etag: true };
  });
  // The plugin's own 304 compares with a single tag only.
  await scope.register(etag, { replyWith304: false });
  scope.addHook('onSend', async (request, reply, payload) => {
    // The plugin also hashes errors; a client would take the tag for that of the resource.
    if (reply.statusCode >= 400) reply.removeHeader('etag');
    const tag = reply.getHeader('etag');
    if (reply.statusCode !== 200 || typeof tag !== 'string' || !isFresh(request, tag)) return payload;
    reply.code(304);
    return '';
  });
}

/** The strong tag of a representation. */
export function contentTag(content: string | Buffer): string {
  return `"${createHash('sha1').update(content).digest('base64url')}"`;
}

/** Strong tags differ between the encodings of a representation, because their bytes do. */
export function gzipTag(tag: string): string {
  return tag.startsWith('W/') ? tag : tag.replace(/"$/, '-gzip"');
}

/** Tags that a client sends back, of whatever encoding, as those of the representation. */
export function withoutEncoding(tags: string): string {
  return tags.replaceAll('-gzip"', '"');
}

/** If-None-Match may be one tag, weak or strong, a list of tags, or `*`. */
export function isFresh({ method, headers }: FastifyRequest, tag: string): boolean {
  const candidates = headers['if-none-match'];
  if (candidates === undefined || (method !== 'GET' && method !== 'HEAD')) return false;
  return withoutEncoding(candidates)
    .split(',')
    .some((candidate) => ['*', tag, `W/${tag}`].includes(candidate.trim()));
}
