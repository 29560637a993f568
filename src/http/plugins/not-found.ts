/** 404 for paths without a route, 405 for paths whose route does not have the method. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { AtelierError } from '../../errors.ts';

function matchesPath(pattern: string, path: string): boolean {
  const [expected, actual] = [pattern.split('/'), path.split('/')];
  return expected.length === actual.length && expected.every((part, i) => matchesSegment(part, actual[i]!));
}

/** A pattern is text, `:name`, or `:name(…)::verb` for a name that ends with a colon and the verb. */
function matchesSegment(pattern: string, segment: string): boolean {
  if (!pattern.startsWith(':')) return pattern === segment;
  const [, verb] = pattern.split('::');
  return verb === undefined || segment.endsWith(`:${verb}`);
}

export function routeNotFound({ method, url }: FastifyRequest): AtelierError {
  return new AtelierError(
    'route-not-found',
    `There is no route ${method} ${url.split('?')[0]}. All routes are listed at /docs.`,
  );
}

export function registerNotFound(app: FastifyInstance): void {
  const routes: Pick<RouteOptions, 'url' | 'method'>[] = [];
  app.addHook('onRoute', ({ url, method }) => void routes.push({ url, method }));

  function rejectUnmatched(request: FastifyRequest, reply: FastifyReply): never {
    const path = request.url.split('?')[0]!;
    const methods = routes.filter((route) => matchesPath(route.url, path)).flatMap((route) => route.method);
    if (methods.length > 0 && request.is404) {
      // onRoute reports the GET of a prefix route without its trailing slash; its HEAD implies it.
      const withGet = methods.flatMap((method) => (method === 'HEAD' ? ['GET', method] : method));
      const allowed = [...new Set(withGet)].join(', ');
      reply.header('allow', allowed);
      throw new AtelierError(
        'method-not-allowed',
        `${path} does not support ${request.method}. Allowed methods: ${allowed}.`,
      );
    }
    throw routeNotFound(request);
  }

  // On request, before the body is parsed: parse errors are irrelevant when there is no route.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) rejectUnmatched(request, reply);
    const params = request.params as Readonly<Record<string, string>>;
    // The router matches `/v1/models/` with an empty name.
    for (const name in params) {
      if (params[name] === '' && name !== '*') throw routeNotFound(request);
    }
    done();
  });
  // For routes without a result, such as an unknown file below /docs.
  app.setNotFoundHandler(async (request, reply) => rejectUnmatched(request, reply));
}
