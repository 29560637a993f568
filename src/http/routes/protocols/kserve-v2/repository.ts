/** KServe v2: the model repository extension. */
import { readJson } from '../../../../formats/json/limits.ts';
import {
  repositoryIndexRequestSchema,
  repositoryIndexSchema,
} from '../../../../protocols/kserve-v2/schema.ts';
import { PROTOCOL_ERRORS, protocolErrors } from '../../../errors/protocol-errors.ts';
import { jsonContent } from '../../../openapi/request-content.ts';
import type { Routes } from '../../context.ts';
import { namedModel } from '../named-model.ts';

export const kserveRepositoryRoutes: Routes = async (app, { models }) => {
  app.route({
    method: 'POST',
    url: '/v2/repository/index',
    config: { scope: 'predict', errorFormat: PROTOCOL_ERRORS, sheddable: false },
    schema: {
      operationId: 'v2RepositoryIndex',
      summary: 'List all versions of all models',
      description:
        'At most 10,000 versions. All are `READY`, because versions are loaded when they are needed, so `ready` in the body changes nothing. ' +
        'The body is optional.',
      tags: ['inference-v2'],
      requestContent: { 'application/json': jsonContent(repositoryIndexRequestSchema, { ready: true }) },
      response: { 200: repositoryIndexSchema, ...protocolErrors(PROTOCOL_ERRORS, 400, 413, 415) },
    },
    async handler({ body }) {
      // A body is optional and only validated: every version is ready, because versions are loaded on demand.
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

  // The response of a Triton without explicit model control. Triton names that state "polling".
  for (const action of ['load', 'unload']) {
    app.route({
      method: 'POST',
      url: `/v2/repository/models/:name/${action}`,
      config: { scope: 'admin', errorFormat: PROTOCOL_ERRORS, sheddable: false },
      schema: { hide: true, params: namedModel },
      async handler(_request, reply) {
        const error =
          'explicit model load / unload is not allowed if polling is enabled. ' +
          'Models are loaded on demand, and evicted when memory is needed.';
        return reply.code(503).send({ error });
      },
    });
  }
};
