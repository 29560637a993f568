/** Cache of whole responses, valid until the revision of what they show changes. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { contentTag } from './etag.ts';
import { createByteCache, type Prepared, sendPrepared } from './prepared.ts';

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
  const pages = createByteCache<Prepared & { readonly revision: number }>();

  async function render(url: string, read: () => Promise<object>) {
    // Before the read, so that a change during the read makes the page outdated.
    const current = revision();
    const bytes = Buffer.from(JSON.stringify(await read()));
    const page = { tag: contentTag(bytes), bytes, revision: current };
    pages.set(url, page);
    return page;
  }

  return async (request, reply, read) => {
    const known = pages.get(request.url);
    const page = known?.revision === revision() ? known : await render(request.url, read);
    return sendPrepared(request, reply, page.tag, async () => page);
  };
}
