/** /health: liveness and readiness. /metrics: Prometheus. */
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

export const healthRoutes: Routes = async (app, { health, metrics }) => {
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

  app.route({
    method: 'GET',
    url: '/metrics',
    config: { scope: 'metrics' },
    logLevel: 'warn',
    schema: {
      operationId: 'getMetrics',
      summary: 'Metrics in the format of Prometheus',
      description:
        'Requests, jobs, predictions, queues, memory and rejected work, described in docs/reference/metrics.md. Needs a key if ' +
        'other requests need one, unless `PUBLIC_METRICS=true`.',
      tags,
      commonErrors: false,
      response: {
        200: {
          description:
            'Text format 0.0.4; names start with `atelier_`, names of process metrics with `process_` and `nodejs_`',
          content: { 'text/plain': { schema: z.string() } },
        },
      },
    },
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  });
};
