import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { readConfig } from '../../../src/config/read.ts';
import { buildApp } from '../../../src/http/app.ts';
import type { Services } from '../../../src/http/services.ts';

/** The routes of a service, as `METHOD url`. */
async function collectRoutes(environment: NodeJS.ProcessEnv): Promise<ReadonlyMap<string, RouteOptions>> {
  // Keeps the route options by reference, because they are completed later.
  const routes: RouteOptions[] = [];
  const collect = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', (route) => void routes.push(route));
  };
  subscribe('fastify.initialization', collect);
  const app = await buildApp({} as Services, readConfig(environment));
  await app.ready();
  unsubscribe('fastify.initialization', collect);
  await app.close();
  return new Map(routes.map((route) => [`${route.method} ${route.url}`, route]));
}
const routes = await collectRoutes({});
const titles = (has: (route: RouteOptions) => unknown) =>
  [...routes].flatMap(([title, route]) => (has(route) ? [title] : [])).toSorted();

test('routes that create something accept an idempotency key', () => {
  assert.deepEqual(
    titles(({ config }) => config!.idempotent),
    [
      'POST /v1/datasets',
      'POST /v1/models',
      'POST /v1/models/:name/versions',
      'POST /v1/prediction-jobs',
      'POST /v1/searches',
      'POST /v1/training-jobs',
      'POST /v1/training-jobs/:id/verify',
    ],
  );
});

test('uploads may take longer than other bodies', () => {
  assert.deepEqual(
    titles(({ config }) => config!.upload),
    ['POST /v1/datasets', 'POST /v1/prediction-jobs'],
  );
});

const PREDICTIONS = [
  'POST /invocations',
  'POST /v1/models/:name(^[^:/]+)::predict',
  'POST /v1/models/:name/labels/:version(^[^:/]+)::predict',
  'POST /v1/models/:name/versions/:version(^[^:/]+)::predict',
  'POST /v2/models/:name/infer',
  'POST /v2/models/:name/versions/:version/infer',
];

test('work that is ended and lists are never shed, and predictions only if their body is large', () => {
  const shed = (which: unknown) => titles(({ config }) => config!.sheddable === which);
  assert.deepEqual(shed(false), [
    'POST /v1/prediction-jobs/:id/cancel',
    'POST /v1/prediction-jobs/:id/pause',
    'POST /v1/searches/:id/cancel',
    'POST /v1/searches/:id/finish',
    'POST /v1/searches/:id/pause',
    'POST /v1/training-jobs/:id/cancel',
    'POST /v1/training-jobs/:id/pause',
    'POST /v2/repository/index',
    'POST /v2/repository/models/:name/load',
    'POST /v2/repository/models/:name/unload',
  ]);
  const native = shed('large-body').filter((title) => title.endsWith('/predictions'));
  assert.deepEqual(shed('large-body'), [...PREDICTIONS, ...native].toSorted());
  assert.equal(native.length, 3);
});

test('the other protocols accept compressed bodies', () => {
  const explain = 'POST /v1/models/:name(^[^:/]+)::explain';
  assert.deepEqual(
    titles(({ config }) => config!.inflates),
    [...PREDICTIONS, explain].toSorted(),
  );
});

test('a worker has only the routes of its health', async () => {
  const DATABASE_URL = 'postgresql://localhost/none';
  const worker = await collectRoutes({ DATABASE_URL, ROLE: 'worker' });
  const paths = ['/health/live', '/health/ready', '/metrics'];
  assert.deepEqual(
    [...worker.keys()].toSorted(),
    ['GET', 'HEAD'].flatMap((method) => paths.map((path) => `${method} ${path}`)),
  );
});
