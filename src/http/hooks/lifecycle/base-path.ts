/** BASE_PATH: the path under which clients see the service, behind a proxy that shares its host. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /** Precedes every path in a response; empty without BASE_PATH. */
    readonly basePath: string;
  }
}

/**
 * Removes the base path before routing, so that routes, hooks, metrics and the log know the paths of the API only. A
 * path without it is served as it is: proxies may have removed it already, and probes reach the service directly.
 */
export function stripBasePath(basePath: string) {
  return ({ url = '/' }: IncomingMessage): string => {
    if (!url.startsWith(basePath)) return url;
    const rest = url.slice(basePath.length);
    if (rest.startsWith('/')) return rest;
    return rest === '' || rest.startsWith('?') ? `/${rest}` : url;
  };
}

/** The path and query of a request, as its client sees them. `OPTIONS *` and whole URLs are not paths. */
export function clientUrl({ server, url }: FastifyRequest): string {
  return url.startsWith('/') ? server.basePath + url : url;
}

/** Decorates the application, and adds the base path to every `Location`. */
export function registerBasePath(app: FastifyInstance, basePath: string): void {
  app.decorate('basePath', basePath);
  if (basePath === '') return;
  app.addHook('onSend', async (_request, reply, payload) => {
    const location = reply.getHeader('location');
    if (typeof location === 'string' && location.startsWith('/')) {
      reply.header('location', basePath + location);
    }
    return payload;
  });
}
