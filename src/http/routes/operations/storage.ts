/** /v1/storage: disk use by kind. */
import { storageSchema } from '../../../services/operations/storage.ts';
import type { Routes } from '../context.ts';

export const storageRoutes: Routes = async (app, { storage }) => {
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
      response: { 200: storageSchema },
    },
    handler: () => storage.read(),
  });
};
