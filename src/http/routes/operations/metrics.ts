/** /metrics: Prometheus. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Metrics } from '../../metrics/registry.ts';
import { noQuery } from '../../validation/pagination.ts';

export const metricsRoutes =
  (metrics: Metrics): FastifyPluginAsyncZod =>
  async (app) => {
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
        querystring: noQuery,
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
