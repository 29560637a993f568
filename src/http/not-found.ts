/** Paths without a route, and routes without the method. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { AtelierError } from '../errors.ts';

function fits(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  return wanted.length === given.length && wanted.every((part, i) => fitsPart(part, given[i]!));
}

/** `:name`, or `:name(…)::verb`, whose verb is behind a colon. */
function fitsPart(wanted: string, given: string): boolean {
  if (!wanted.startsWith(':')) return wanted === given;
  const [, verb] = wanted.split('::');
  return verb === undefined || given.endsWith(`:${verb}`);
}

export function noRoute({ method, url }: FastifyRequest): AtelierError {
  return new AtelierError(
    'route-not-found',
    `There is no ${method} ${url.split('?')[0]}. /docs shows what there is.`,
  );
}

export function registerNotFound(app: FastifyInstance): void {
  const routes: Pick<RouteOptions, 'url' | 'method'>[] = [];
  app.addHook('onRoute', ({ url, method }) => void routes.push({ url, method }));

  function refuse(request: FastifyRequest, reply: FastifyReply): never {
    const path = request.url.split('?')[0]!;
    const methods = routes.filter((route) => fits(route.url, path)).flatMap((route) => route.method);
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
    throw noRoute(request);
  }

  // Before the body is read: what is wrong with a body that nobody takes is not of interest.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) refuse(request, reply);
    const params = request.params as Readonly<Record<string, string>>;
    // As `/v1/models/`, to which the router says that the name is empty.
    for (const name in params) {
      if (params[name] === '' && name !== '*') throw noRoute(request);
    }
    done();
  });
  // For routes that find nothing to send, as that of the files of /docs.
  app.setNotFoundHandler(async (request, reply) => refuse(request, reply));
}
