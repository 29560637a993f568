/** /health: liveness and readiness. */
import { z } from 'zod';
import type { Routes } from '../context.ts';

const tags = ['health'];
const readinessSchema = z
  .object({
    ready: z.boolean(),
    checks: z.object({
      database: z.boolean(),
      datasets: z.boolean(),
      accepting: z.boolean(),
      storage: z
        .boolean()
        .describe(
          'false while a training job of this process is waiting for storage. Predictions go on, so `ready` is not affected',
        ),
    }),
  })
  .meta({ id: 'Readiness' });

export const healthRoutes: Routes = async (app, { health }) => {
  app.route({
    method: 'GET',
    url: '/health/live',
    config: { scope: 'open' },
    logLevel: 'warn',
    schema: {
      operationId: 'live',
      summary: 'Liveness of the process',
      description:
        '200 once the service has started, also while it shuts down. Checks nothing else: restart the process only ' +
        'if this fails. Needs no key, is not rate-limited, and is never rejected under load.',
      tags,
      commonErrors: false,
      response: { 200: z.object({ live: z.literal(true) }).meta({ id: 'Liveness' }) },
    },
    handler: async () => ({ live: true as const }),
  });

  app.route({
    method: 'GET',
    url: '/health/ready',
    config: { scope: 'open' },
    logLevel: 'warn',
    schema: {
      operationId: 'ready',
      summary: 'Readiness of the service',
      description:
        '200 if requests can be served, otherwise 503 with the checks that failed: the database, the data sets, and whether the service still ' +
        'accepts work. With a shared database, `checks.database` may be false in a 200, because models in memory are served without it. ' +
        'Needs no key and is not rate-limited.',
      tags,
      commonErrors: false,
      response: { 200: readinessSchema, 503: readinessSchema },
    },
    async handler(_request, reply) {
      const readiness = await health.check();
      return reply.code(readiness.ready ? 200 : 503).send(readiness);
    },
  });
};
