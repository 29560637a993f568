/** Paths without a route, and routes without the method. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { AtelierError } from '../../errors.ts';

function matchesPath(pattern: string, path: string): boolean {
  const [expected, actual] = [pattern.split('/'), path.split('/')];
  return expected.length === actual.length && expected.every((part, i) => matchesSegment(part, actual[i]!));
}

/** `:name`, or `:name(…)::verb`, whose verb is behind a colon. */
function matchesSegment(expected: string, actual: string): boolean {
  if (!expected.startsWith(':')) return expected === actual;
  const [, verb] = expected.split('::');
  return verb === undefined || actual.endsWith(`:${verb}`);
}

export function routeNotFound({ method, url }: FastifyRequest): AtelierError {
  return new AtelierError(
    'route-not-found',
    `There is no ${method} ${url.split('?')[0]}. /docs shows what there is.`,
  );
}

export function registerNotFound(app: FastifyInstance): void {
  const routes: Pick<RouteOptions, 'url' | 'method'>[] = [];
  app.addHook('onRoute', ({ url, method }) => void routes.push({ url, method }));

  function rejectUnmatched(request: FastifyRequest, reply: FastifyReply): never {
    const path = request.url.split('?')[0]!;
    const methods = routes.filter((route) => matchesPath(route.url, path)).flatMap((route) => route.method);
    if (methods.length > 0 && request.is404) {
      // The GET of a prefix is told of without the slash at its end.
      const allowed = [...new Set(methods.flatMap((each) => (each === 'HEAD' ? ['GET', each] : each)))].join(
        ', ',
      );
      reply.header('allow', allowed);
      throw new AtelierError(
        'method-not-allowed',
        `${path} does not take ${request.method}; allowed: ${allowed}.`,
      );
    }
    throw routeNotFound(request);
  }

  // Before the body is read: what is wrong with a body that nobody takes is not of interest.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) rejectUnmatched(request, reply);
    const params = request.params as Readonly<Record<string, string>>;
    // As `/v1/models/`, to which the router says that the name is empty.
    for (const name in params) {
      if (params[name] === '' && name !== '*') throw routeNotFound(request);
    }
    done();
  });
  // For routes that find nothing to send, as that of the files of /docs.
  app.setNotFoundHandler(async (request, reply) => rejectUnmatched(request, reply));
}
