/** The OpenAPI document, generated from the route schemas, and the documentation. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { OpenAPIV3_1 } from 'openapi-types';
import { contentTag } from '../conditional/etag.ts';
import { type Prepared, sendPrepared } from '../conditional/prepared.ts';
import type { HeaderName } from './headers.ts';
import { createMarkdownDocs } from './markdown-docs.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Generates the document. */
    openapi(): Promise<OpenAPIV3_1.Document>;
  }
  interface FastifySchema {
    /** OpenAPI `content` of a request body that Fastify does not validate, beside that of the JSON that it validates. */
    requestContent?: Record<string, object>;
    /** Documented headers of responses, by status, in addition to the headers that every route documents. */
    responseHeaders?: Readonly<Record<number, readonly HeaderName[]>>;
    /** The route reads the pixels of a data set, so 500 `dataset-damaged` is documented. */
    readsDataset?: true;
    /** False for /health and /metrics: they do not document the 500 and 503 of all other routes. */
    commonErrors?: false;
  }
}

/** Headers of a response that belong to its connection, or that the server sets. */
const OWN_HEADERS = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'];

/** Collects the routes that are added afterwards, except hidden ones. Their document, and the page, are made on first use. */
export async function registerOpenapi(app: FastifyInstance): Promise<void> {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    if (route.method !== 'HEAD' && !route.schema?.hide) routes.push(route);
  });
  let docs: ReturnType<typeof load> | undefined;
  async function load() {
    const { createDocs } = await import('./document.ts');
    return createDocs(routes, app.basePath);
  }
  // A later request tries again after a failure.
  const useDocs = () =>
    (docs ??= load().catch((error) => {
      docs = undefined;
      throw error;
    }));
  app.decorate('openapi', async () => (await useDocs()).swagger() as OpenAPIV3_1.Document);

  async function sendPage({ url, headers }: FastifyRequest, reply: FastifyReply) {
    // `inject` resolves dots: the routes of `docs` beyond its page are descriptions, which never respond.
    if (!new URL(url, 'http://localhost').pathname.startsWith('/docs')) return reply.callNotFound();
    const response = await (await useDocs()).inject({ url, headers });
    if (response.statusCode >= 400) return reply.callNotFound();
    const sent = Object.entries(response.headers).filter(([name]) => !OWN_HEADERS.includes(name));
    return reply.code(response.statusCode).headers(Object.fromEntries(sent)).send(response.rawPayload);
  }

  await app.register(async (scope) => {
    scope.decorate('routeScope', 'docs');
    const schema = { hide: true };
    const sendMarkdown = createMarkdownDocs();
    for (const url of ['/llms.txt', '/llms-full.txt', '/README.md', '/docs', '/docs/', '/docs/*']) {
      scope.get(
        url,
        { schema },
        async (request, reply) => (await sendMarkdown(request, reply)) ?? sendPage(request, reply),
      );
    }
    let document: Prepared | undefined;
    scope.get('/openapi.json', { schema }, async (request, reply) => {
      document ??= render(await app.openapi());
      return sendPrepared(request, reply, document.tag, async () => document!);
    });
  });
}

function render(document: object): Prepared {
  const bytes = Buffer.from(JSON.stringify(document));
  return { tag: contentTag(bytes), bytes };
}
