import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify';
import { readConfig } from '../../../../src/config/read.ts';
import { buildApp } from '../../../../src/http/app.ts';
import { requireRouteScopes } from '../../../../src/http/hooks/access/authentication.ts';
import type { Services } from '../../../../src/http/services.ts';

// Keeps the route options by reference, because they are completed later.
const routes: RouteOptions[] = [];
const collect = (message: unknown) => {
  const { fastify } = message as { fastify: FastifyInstance };
  fastify.addHook('onRoute', (route) => void routes.push(route));
};
subscribe('fastify.initialization', collect);
const app = await buildApp({} as Services, readConfig({ CORS_ORIGINS: 'https://lab.example' }));
await app.ready();
unsubscribe('fastify.initialization', collect);
const ofService = routes.splice(0);
await app.close();

/** The scope that each kind of route must require. */
function scopeOf({ method, url }: Pick<RouteOptions, 'method' | 'url'>): string {
  if (/^(\/v2)?\/health\/|^\/(ping|health|page(-screens)?\.js|page\.css)?$/.test(url)) return 'open';
  if (/^\/(docs(\/.*)?|openapi\.json|llms(-full)?\.txt|README\.md)$/.test(url)) return 'docs';
  if (url === '/metrics') return 'metrics';
  if (method === 'OPTIONS') return 'open';
  if (method !== 'GET' && method !== 'HEAD' && /\/aliases\//.test(url)) return 'promote';
  if (method === 'POST' && url === '/v1/models/:name/versions') return 'promote';
  if (method === 'DELETE' || method === 'PUT' || url.startsWith('/v2/repository/models/')) return 'admin';
  const reads =
    method === 'GET' ||
    method === 'HEAD' ||
    /\/prediction-jobs$/.test(url) ||
    /[/:](predictions|explanations|gradient-checks|infer|predict|explain|invocations|repository\/index)$/.test(
      url,
    );
  return reads ? 'predict' : 'train';
}

test('every route declares the scope of its kind', () => {
  const methods = new Set(ofService.flatMap(({ method }) => method));
  assert.deepEqual(
    ['GET', 'HEAD', 'OPTIONS', 'POST'].filter((method) => !methods.has(method)),
    [],
    'were found',
  );
  for (const route of ofService) {
    assert.equal(route.config?.scope, scopeOf(route), `${route.method} ${route.url}`);
  }
});

test('a route without a scope prevents the start, and the error names the route', async () => {
  const undeclared = Fastify();
  requireRouteScopes(undeclared);
  assert.throws(() => undeclared.get('/secret', async () => 'secret'), /GET \/secret declares no scope/);
  const nested = Fastify();
  requireRouteScopes(nested);
  nested.register(
    async (inner) => void inner.route({ method: 'POST', url: '/secret', handler: async () => 'secret' }),
    { prefix: '/v1' },
  );
  await assert.rejects(async () => nested.ready(), /POST \/v1\/secret declares no scope/);
});

test('routes of a plugin have the scope of the instance they are registered in', async () => {
  const instance = Fastify();
  requireRouteScopes(instance);
  await instance.register(async (inner) => {
    inner.decorate('routeScope', 'docs');
    inner.get('/inside', async ({ routeOptions }) => routeOptions.config.scope);
    inner.get('/own', { config: { scope: 'admin' } }, async ({ routeOptions }) => routeOptions.config.scope);
  });
  assert.throws(() => instance.get('/outside', async () => ''), /GET \/outside declares no scope/);
  assert.equal((await instance.inject('/inside')).body, 'docs');
  assert.equal((await instance.inject('/own')).body, 'admin');
});
