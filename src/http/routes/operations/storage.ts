/** /v1/storage: disk use by kind. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { type StorageService, storageSchema } from '../../../services/operations/storage.ts';
import { noQuery } from '../../validation/pagination.ts';

export const storageRoutes =
  (storage: StorageService): FastifyPluginAsyncZod =>
  async (app) => {
    app.route({
      method: 'GET',
      url: '/storage',
      config: { scope: 'predict', priority: 'low' },
      schema: {
        operationId: 'getStorage',
        summary: 'Get the bytes that the state takes, by kind',
        description:
          'Measured in the background, at most every ten seconds, and less often if measuring takes long. docs/operations/retention.md shows ' +
          'how to make it smaller.',
        tags: ['health'],
        querystring: noQuery,
        response: { 200: storageSchema },
      },
      handler: () => storage.read(),
    });
  };
