/** The server as the Open Inference Protocol v2 sees it: what it can do, and whether it does. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import packageJson from '../../../../../package.json' with { type: 'json' };
import { serverMetadataSchema, serverReadinessSchema } from '../../../../protocols/kserve-v2/schema.ts';
import type { HealthService } from '../../../../services/health.ts';

const tags = ['inference-v2'];
/** Only what works. */
const EXTENSIONS = ['binary_tensor_data', 'classification', 'model_repository', 'statistics'];

export const v2ServerRoutes =
  (health: HealthService): FastifyPluginAsyncZod =>
  async (app) => {
    for (const url of ['/v2', '/v2/']) {
      app.route({
        method: 'GET',
        url,
        config: { scope: 'predict' },
        schema: {
          operationId: 'v2ServerMetadata',
          summary: 'Name, version and extensions of the server',
          tags,
          hide: url === '/v2/',
          response: { 200: serverMetadataSchema },
        },
        handler: async () => ({
          name: packageJson.name,
          version: packageJson.version,
          extensions: EXTENSIONS,
        }),
      });
    }

    app.route({
      method: 'GET',
      url: '/v2/health/live',
      config: { scope: 'open' },
      logLevel: 'warn',
      schema: {
        operationId: 'v2Live',
        summary: 'Whether the process answers',
        tags,
        response: { 200: z.object({ live: z.literal(true) }).meta({ id: 'Liveness' }) },
      },
      handler: async () => ({ live: true as const }),
    });

    app.route({
      method: 'GET',
      url: '/v2/health/ready',
      config: { scope: 'open' },
      logLevel: 'warn',
      schema: {
        operationId: 'v2Ready',
        summary: 'Whether the service can do its work',
        tags,
        response: { 200: serverReadinessSchema, 503: serverReadinessSchema },
      },
      async handler(_request, reply) {
        const ready = Object.values(await health.check()).every(Boolean);
        return reply.code(ready ? 200 : 503).send({ ready, live: true as const });
      },
    });
  };
