/** /metrics: Prometheus. */
import { z } from 'zod';
import type { Routes } from '../context.ts';

export const metricsRoutes: Routes = async (app, { metrics }) => {
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
      tags: ['health'],
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
