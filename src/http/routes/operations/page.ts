/** The page: its document at `/`, for clients that prefer HTML, its scripts and its style sheet. Others get liveness. */
import { readFileSync } from 'node:fs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AtelierError } from '../../../errors.ts';
import { livenessSchema } from '../../../protocols/kserve-v1/schema.ts';
import { cacheControl } from '../../conditional/cache-control.ts';
import { contentTag } from '../../conditional/etag.ts';
import { type Prepared, sendPrepared } from '../../conditional/prepared.ts';
import { PROTOCOL_ERRORS, protocolErrors } from '../../errors/protocol-errors.ts';
import { PAGE_POLICY } from '../../hooks/access/security-headers.ts';
import { preferredType } from '../../responses/negotiate.ts';
import type { Routes } from '../context.ts';

function readPageFile(name: string): Prepared {
  const bytes = readFileSync(new URL(`../../page/${name}`, import.meta.url));
  return { tag: contentTag(bytes), bytes };
}

/** The files keep their names across versions, so browsers revalidate them: 304 while they are unchanged. */
function sendFile(request: FastifyRequest, reply: FastifyReply, file: Prepared, type: string) {
  reply.header('cache-control', cacheControl(false));
  return sendPrepared(request, reply, file.tag, async () => file, `${type}; charset=utf-8`);
}

/** All files are open, because browsers send no key when they navigate. */
export const pageRoutes: Routes = async (app, { publicPage }) => {
  const document = readPageFile('index.html');

  app.route({
    method: 'GET',
    url: '/',
    config: { scope: 'open', errorFormat: PROTOCOL_ERRORS, etag: true },
    logLevel: 'warn',
    schema: {
      operationId: 'v1Live',
      summary: 'Liveness of the process, or the page',
      description:
        'Responds under any load and during a shutdown. `/health/ready` reports whether the service can do its work. ' +
        'Browsers prefer `text/html` and get the page, unless `PUBLIC_PAGE` is `false`.',
      tags: ['kserve-v1'],
      response: {
        200: {
          description: 'The process lives',
          content: {
            'application/json': { schema: livenessSchema },
            'text/html': { schema: z.string() },
          },
        },
        308: z.null().describe('The page is at the path with a slash at its end'),
        ...protocolErrors(PROTOCOL_ERRORS, 404),
      },
    },
    async handler(request, reply) {
      if (preferredType(request, reply, ['application/json', 'text/html']) !== 'text/html') {
        return reply.send({ status: 'alive' as const });
      }
      if (!publicPage) {
        throw new AtelierError('route-not-found', 'This service has no page, because PUBLIC_PAGE is false.');
      }
      // The links of the page are relative, so that they work under any path of a proxy.
      if (lacksSlash(request)) return reply.redirect('/', 308);
      reply.header('content-security-policy', PAGE_POLICY);
      return sendFile(request, reply, document, 'text/html');
    },
  });

  if (!publicPage) return;
  for (const [name, type] of [
    ['page.js', 'text/javascript'],
    ['page-screens.js', 'text/javascript'],
    ['page.css', 'text/css'],
  ] as const) {
    const file = readPageFile(name);
    app.get(
      `/${name}`,
      { config: { scope: 'open' }, logLevel: 'warn', schema: { hide: true } },
      async (request, reply) => sendFile(request, reply, file, type),
    );
  }
};

/** Whether the client requested the base path without a slash at its end. */
function lacksSlash({ server, originalUrl }: FastifyRequest): boolean {
  return server.basePath !== '' && originalUrl.split('?', 1)[0] === server.basePath;
}
