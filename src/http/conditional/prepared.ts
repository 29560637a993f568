/** Prepared responses: cached bytes, whose ETag is known before anything is read or rendered. */
import { createHash, randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { contentTag, isFresh } from './etag.ts';

/** Limit of each cache. The list of 100 jobs takes a third of a megabyte. */
const MAX_CACHED_BYTES = 16 * 2 ** 20;
/** Size of an entry beyond its key and its bytes. */
const ENTRY_BYTES = 200;
export const JSON_TYPE = 'application/json; charset=utf-8';

export interface Prepared {
  readonly tag: string;
  readonly bytes: Buffer;
}

/** Part of every tag: after an update or a restored backup, equal revisions may mean different bytes. */
const PROCESS = randomBytes(8);

/** A tag for everything that a response depends on. */
export function formatTag(...revisions: readonly (string | number | boolean)[]): string {
  return `"${createHash('sha1').update(PROCESS).update(JSON.stringify(revisions)).digest('base64url')}"`;
}

/**
 * Sends 304 without any work if the client has the response with the tag.
 * @param prepare returns the response, whose tag may be newer
 */
export async function sendPrepared(
  request: FastifyRequest,
  reply: FastifyReply,
  tag: string,
  prepare: () => Promise<Prepared>,
  type = JSON_TYPE,
): Promise<FastifyReply> {
  if (isFresh(request, tag)) return reply.header('etag', tag).code(304).send();
  const prepared = await prepare();
  return reply.header('etag', prepared.tag).type(type).send(prepared.bytes);
}

/** Keeps up to 16 MiB; the least recently used entry is evicted first. */
export function createByteCache<T extends { readonly bytes: Buffer }>(): LRUCache<string, T> {
  return new LRUCache({
    maxSize: MAX_CACHED_BYTES,
    sizeCalculation: ({ bytes }, key) => bytes.length + key.length + ENTRY_BYTES,
  });
}

export type SendCached = (
  request: FastifyRequest,
  reply: FastifyReply,
  read: () => Promise<object>,
) => Promise<FastifyReply>;

/**
 * @param revision changes with every change that a response may show
 * @returns a function that sends the cached response of a URL, or renders what `read` returns
 */
export function createPageCache(revision: () => number): SendCached {
  const pages = createByteCache<Prepared>();
  return async (request, reply, read) => {
    // Before the read, so that a change during the read makes the page outdated.
    const key = `${revision()} ${request.url}`;
    let page = pages.get(key);
    if (page === undefined) {
      const bytes = Buffer.from(JSON.stringify(await read()));
      page = { tag: contentTag(bytes), bytes };
      pages.set(key, page);
    }
    const cached = page;
    return sendPrepared(request, reply, cached.tag, async () => cached);
  };
}
