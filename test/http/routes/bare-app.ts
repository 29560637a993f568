/** Some routes without the service: the test gives the parts of the services that they use. */
import Fastify, { type FastifyInstance } from 'fastify';
import type { ApiKey } from '../../../src/domain/api-key.ts';
import { registerEtag } from '../../../src/http/conditional/etag.ts';
import { registerIdempotency } from '../../../src/http/conditional/idempotency.ts';
import { registerErrorHandler } from '../../../src/http/errors/error-handler.ts';
import { requireRouteScopes } from '../../../src/http/hooks/access/authentication.ts';
import type { RouteContext, Routes } from '../../../src/http/routes/context.ts';
import { ZOD_COMPILERS } from '../../../src/http/validation/zod-validator.ts';

/** @param key of the caller; null for requests without one */
export async function serveRoutes(
  routes: Routes,
  services: object,
  key: ApiKey | null = null,
): Promise<FastifyInstance> {
  const app = Fastify({ schemaController: { compilersFactory: ZOD_COMPILERS } });
  app.decorate('basePath', '');
  app.decorateReply('isStream', false);
  app.decorateReply('countAsStream', () => {});
  registerErrorHandler(app, 1024);
  requireRouteScopes(app);
  registerIdempotency(app);
  app.addHook('onRequest', async (request) => {
    request.apiKey = key;
  });
  await app.register(async (scope) => {
    registerEtag(scope);
    await scope.register(routes, { ...(services as RouteContext), prefix: '/v1' });
  });
  return app;
}

/** A key that may train, but not promote. */
export const TRAIN_KEY: ApiKey = { name: 'ci', scopes: ['train'], digest: new Uint8Array(32) };
