/** /v1/gradient-checks: check a gradient against finite differences. */
import { z } from 'zod';
import { gradientCheckRequestSchema, gradientCheckSchema } from '../../../domain/checks/gradient.ts';
import { problems } from '../../errors/problem.ts';
import { binaryContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { negotiate } from '../../responses/negotiate.ts';
import type { Routes } from '../context.ts';

const querystring = z.strictObject({
  vector: z.enum(['analytic', 'numeric']).default('analytic').describe('Gradient that an npy response holds'),
});

export const gradientCheckRoutes: Routes = async (app, { gradients }) => {
  app.route({
    method: 'POST',
    url: '/gradient-checks',
    config: { scope: 'predict' },
    schema: {
      operationId: 'checkGradient',
      summary: 'Check the gradient of a network against finite differences',
      description:
        'Responds within seconds. Networks of at most 10,000,000 parameters; a sample of the coordinates is checked if all ' +
        'would take longer. `Accept: application/x-npy` returns the packed float64 gradient itself, W1, b1, W2, b2, …, of ' +
        'at most 1,000,000 parameters, with NaN for coordinates outside the sample. A body of at most 1 MiB.',
      tags: ['gradients'],
      querystring,
      readsDataset: true,
      body: gradientCheckRequestSchema,
      response: {
        200: {
          description: 'The report, or the gradient',
          content: {
            'application/json': { schema: gradientCheckSchema },
            'application/x-npy': binaryContent,
          },
        },
        ...problems(400, 406, 413, 415, 422, 503),
      },
    },
    async handler(request, reply) {
      const type = negotiate(request, reply, ['application/json', 'application/x-npy']);
      const output = type === 'application/json' ? 'report' : request.query.vector;
      const { report, npy } = await gradients.check(request.body, output, disconnectSignal(reply));
      return npy === null ? reply.send(report) : reply.type(type).send(Buffer.from(npy));
    },
  });
};
