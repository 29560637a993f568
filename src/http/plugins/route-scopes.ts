/** What each route demands of its caller: declared with the route, and without it there is no route. */
import type { FastifyInstance } from 'fastify';
import type { Scope } from '../../domain/api-key.ts';

/** `docs` and `metrics` are open or not by configuration. */
export type RouteScope = Scope | 'open' | 'docs' | 'metrics';

declare module 'fastify' {
  interface FastifyContextConfig {
    scope: RouteScope;
  }
  interface FastifyInstance {
    /** Of the routes of plug-ins that let nobody declare it for each: decorate the instance that they are registered in. */
    readonly routeScope?: RouteScope;
  }
  interface FastifyRequest {
    /** Name of the key that was sent, or `anonymous`. */
    caller: string;
  }
}

/** Before the routes. The service does not start with a route that declares no scope; HEAD has that of its GET. */
export function requireRouteScopes(app: FastifyInstance): void {
  app.decorateRequest('caller', 'anonymous');
  app.addHook('onRoute', function (route) {
    // A browser asks by OPTIONS, and without a key, whether it may send one.
    const scope = route.config?.scope ?? this.routeScope ?? (route.method === 'OPTIONS' ? 'open' : undefined);
    if (scope === undefined) {
      throw new TypeError(
        `${route.method} ${route.url} declares no scope: say config: { scope: … } in its options`,
      );
    }
    route.config = { ...route.config, scope };
  });
}
