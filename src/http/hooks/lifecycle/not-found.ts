/** 404 for a path without a route, 405 for a path whose routes do not support the method. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { AtelierError } from '../../../errors.ts';
import { readVerb } from '../../errors/protocol-errors.ts';
import { clientUrl } from './base-path.ts';

/** A URL without a verb, and without an empty part that a parameter could match. */
const PLAIN_URL = /^(?:\/[\w.@~-]+)+(?:$|\?)/;

/** Colons and slashes may be percent-encoded. */
const NAME_AND_VERB = /^(?:(?!%2f|%3a)[^:])+(?::|%3a)[a-z]+$/i;

/** Splits a path once for all routes, because it may consist of thousands of slashes. */
function createMatch(path: string): (pattern: string) => boolean {
  const actual = path.split('/');
  const verb = readVerb(path);
  return (pattern) => {
    // The regular expressions are removed, because they contain slashes.
    const expected = pattern.replace(/\([^)]*\)/g, '').split('/');
    return (
      verbOfRoute(pattern) === verb &&
      expected.length === actual.length &&
      expected.every((part, i) => matchesSegment(part, actual[i]!))
    );
  };
}

/** A pattern is text, `:name`, or `:name(…)::verb`. The last form matches a name without colons and slashes, then the verb. */
const verbOfRoute = (pattern: string): string | undefined => pattern.split('::')[1];

function matchesSegment(pattern: string, segment: string): boolean {
  if (pattern.includes('::')) return NAME_AND_VERB.test(segment);
  return pattern === segment || (pattern.startsWith(':') && segment !== '');
}

/** The router matches `/v1/models/name:predict` as a name if no route of the method has the verb. */
function lacksVerb({ routeOptions, url }: FastifyRequest): boolean {
  return verbOfRoute(routeOptions.url ?? '') !== readVerb(url.split('?')[0]!);
}

/** For a prefix route with a trailing slash, Fastify calls onRoute for HEAD only. HEAD implies GET. */
function listMethods(methods: readonly string[]): string {
  return [...new Set(methods.flatMap((method) => (method === 'HEAD' ? ['GET', method] : method)))].join(', ');
}

export function routeNotFound(request: FastifyRequest): AtelierError {
  const path = clientUrl(request).split('?')[0];
  return new AtelierError(
    'route-not-found',
    `There is no route ${request.method} ${path}. All routes are listed at ${request.server.basePath}/docs.`,
  );
}

export function registerNotFound(app: FastifyInstance): void {
  const routes: Pick<RouteOptions, 'url' | 'method'>[] = [];
  app.addHook('onRoute', ({ url, method }) => void routes.push({ url, method }));

  function rejectUnmatched(request: FastifyRequest, reply: FastifyReply): never {
    const path = request.url.split('?')[0]!;
    const matches = createMatch(path);
    const methods = routes.filter(({ url }) => matches(url)).flatMap(({ method }) => method);
    if (methods.length > 0 && (request.is404 || lacksVerb(request))) {
      const allowed = listMethods(methods);
      reply.header('allow', allowed);
      throw new AtelierError(
        'method-not-allowed',
        `${app.basePath}${path} does not support ${request.method}. Allowed methods: ${allowed}.`,
      );
    }
    if (readVerb(path) !== undefined) {
      const verbs = new Set(routes.flatMap(({ url }) => verbOfRoute(url) ?? []));
      throw new AtelierError(
        'route-not-found',
        `There is no route ${request.method} ${app.basePath}${path}. The verbs of a model are: ${[...verbs].join(', ')}. ` +
          'They follow its name, which has no colon and no slash.',
      );
    }
    throw routeNotFound(request);
  }

  // Runs before the body is parsed: without a route, parse errors are irrelevant.
  app.addHook('onRequest', (request, reply, done) => {
    // RFC 9110, section 9.3.7: about the server as a whole, not about a resource.
    if (request.url === '*' && request.method === 'OPTIONS') {
      const methods = routes.flatMap((route) => route.method);
      return void reply.code(204).header('allow', listMethods(methods)).send();
    }
    if (!request.is404 && PLAIN_URL.test(request.url)) return done();
    if (request.is404 || lacksVerb(request)) rejectUnmatched(request, reply);
    const params = request.params as Readonly<Record<string, string>>;
    // The router matches `/v1/models/` with an empty name.
    for (const name in params) {
      if (params[name] === '' && name !== '*') throw routeNotFound(request);
    }
    done();
  });
  // For handlers that find nothing, such as the file server of /docs.
  app.setNotFoundHandler(async (request, reply) => rejectUnmatched(request, reply));
}
