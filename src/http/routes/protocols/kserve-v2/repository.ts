/** The model repository extension of the Open Inference Protocol v2. In a scope of raw bodies. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { AtelierError } from '../../../../errors.ts';
import { readJson } from '../../../../formats/json-limits.ts';
import {
  repositoryIndexRequestSchema,
  repositoryIndexSchema,
} from '../../../../protocols/kserve-v2/schema.ts';
import type { ModelService } from '../../../../services/models.ts';
import { protocolErrors } from '../../../errors/protocol-errors.ts';
import { jsonContent } from '../../../examples/protocols.ts';
import { namedModel } from '../named-model.ts';

export const v2RepositoryRoutes =
  (models: ModelService): FastifyPluginAsyncZod =>
  async (app) => {
    app.route({
      method: 'POST',
      url: '/v2/repository/index',
      config: { scope: 'predict', sheddable: false },
      schema: {
        operationId: 'v2RepositoryIndex',
        summary: 'All versions of all models',
        tags: ['inference-v2'],
        requestContent: { 'application/json': jsonContent(repositoryIndexRequestSchema, { ready: true }) },
        response: { 200: repositoryIndexSchema, ...protocolErrors('/v2/repository', 400, 413, 415) },
      },
      async handler({ body }) {
        // Clients send nothing where they want them all. Every version is ready: it is loaded when it is asked for.
        if (body instanceof Buffer && body.length > 0) readJson(body, repositoryIndexRequestSchema);
        const references = await models.references();
        return references.map(({ name, version }) => ({
          name,
          version: String(version),
          state: 'READY' as const,
          reason: '',
        }));
      },
    });

    // As Triton answers that was started without explicit control of its models.
    for (const action of ['load', 'unload']) {
      app.route({
        method: 'POST',
        url: `/v2/repository/models/:name/${action}`,
        config: { scope: 'admin', sheddable: false },
        schema: { hide: true, params: namedModel },
        async handler() {
          throw new AtelierError(
            'invalid-request',
            `Models cannot be ${action}ed explicitly: they are loaded when they are asked for, and make way for others.`,
          );
        },
      });
    }
  };
