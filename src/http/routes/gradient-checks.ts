/** /v1/gradient-checks */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { npyBytes } from '../../datasets/npy.ts';
import { gradientCheckRequestSchema, gradientCheckSchema } from '../../domain/gradient-check.ts';
import type { GradientCheckService } from '../../services/check-gradient.ts';
import { hangUpSignal } from '../hang-up.ts';
import { negotiate } from '../negotiate.ts';
import { binaryContent } from '../schemas/binary.ts';
import { problems } from '../schemas/problem.ts';

const querystring = z.strictObject({
  vector: z.enum(['analytic', 'numeric']).default('analytic').describe('Which gradient an npy answer holds'),
});

export const gradientCheckRoutes =
  (gradients: GradientCheckService): FastifyPluginAsyncZod =>
  async (app) => {
    app.route({
      method: 'POST',
      url: '/gradient-checks',
      schema: {
        operationId: 'checkGradient',
        summary: 'Check the gradient of a network against finite differences',
        description:
          'Answers when done. `Accept: application/x-npy` answers the packed float64 gradient itself: W1, b1, W2, b2, ….',
        tags: ['gradients'],
        querystring,
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
        const type = negotiate(request, ['application/json', 'application/x-npy']);
        const { report, vector } = await gradients.check(request.body, hangUpSignal(reply));
        if (type === 'application/json') return reply.send(report);
        const gradient = vector(request.query.vector);
        return reply.type(type).send(Buffer.from(npyBytes(gradient, [gradient.length])));
      },
    });
  };
