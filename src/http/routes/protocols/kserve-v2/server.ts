/** Routes of KServe v2: metadata and health of the server. */
import { z } from 'zod';
import packageJson from '../../../../../package.json' with { type: 'json' };
import { serverMetadataSchema, serverReadinessSchema } from '../../../../protocols/kserve-v2/schema.ts';
import { PROTOCOL_ERRORS } from '../../../errors/protocol-errors.ts';
import type { Routes } from '../../context.ts';

const tags = ['inference-v2'];
/** Implemented extensions of the protocol. */
const EXTENSIONS = [
  'binary_tensor_data',
  'classification',
  'model_configuration',
  'model_repository',
  'statistics',
];

export const kserveServerRoutes: Routes = async (app, { health }) => {
  // The path is served with and without the slash at its end. The API description has only the first.
  for (const url of ['/v2', '/v2/']) {
    app.route({
      method: 'GET',
      url,
      config: { scope: 'predict', errorFormat: PROTOCOL_ERRORS },
      schema: {
        operationId: 'v2ServerMetadata',
        summary: 'Name, version and extensions of the server',
        description:
          '`extensions` lists the implemented extensions of the protocol. `name` and `version` describe the service.',
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
    config: { scope: 'open', errorFormat: PROTOCOL_ERRORS },
    logLevel: 'warn',
    schema: {
      operationId: 'v2Live',
      summary: 'Liveness of the process',
      description: '200 as long as the process responds. Needs no key and is not rate-limited.',
      tags,
      response: { 200: z.object({ live: z.literal(true) }).meta({ id: 'Liveness' }) },
    },
    handler: async () => ({ live: true as const }),
  });

  app.route({
    method: 'GET',
    url: '/v2/health/ready',
    config: { scope: 'open', errorFormat: PROTOCOL_ERRORS },
    logLevel: 'warn',
    schema: {
      operationId: 'v2Ready',
      summary: 'Readiness of the service',
      description:
        '200 if requests can be served, otherwise 503; `/health/ready` has the checks that failed. Needs no key and is not rate-limited.',
      tags,
      response: { 200: serverReadinessSchema, 503: serverReadinessSchema },
    },
    async handler(_request, reply) {
      const { ready } = await health.check();
      return reply.code(ready ? 200 : 503).send({ ready, live: true as const });
    },
  });
};
