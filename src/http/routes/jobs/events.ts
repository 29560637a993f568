/** /v1/training-jobs/{id}/events: a list, or a stream of server-sent events. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { jobEventSchema } from '../../../domain/jobs/training.ts';
import type { SubscribeEvents } from '../../../services/events/subscribe.ts';
import type { HealthService } from '../../../services/operations/health.ts';
import type { TrainingService } from '../../../services/training/jobs.ts';
import { registerEtag } from '../../conditional/etag.ts';
import { problems } from '../../errors/problem.ts';
import type { CountStream } from '../../hooks/connections/client-limits.ts';
import { EVENT_STREAM_TYPE } from '../../responses/events/reconnect-stream.ts';
import {
  createRespondEvents,
  dropEmptyEventId,
  eventHeaders,
  eventQuery,
  eventStream,
  STREAM,
} from '../../responses/events/respond.ts';
import { listSchema } from '../../validation/pagination.ts';

export const jobEventRoutes =
  (
    training: TrainingService,
    subscribe: SubscribeEvents,
    health: Pick<HealthService, 'stopping'>,
    countStream: CountStream,
  ): FastifyPluginAsyncZod =>
  async (app) => {
    const list: typeof training.events = (...page) => training.events(...page);
    const respondEvents = createRespondEvents({ list, subscribe, health, countStream });
    registerEtag(app);

    app.route({
      method: 'GET',
      url: '/training-jobs/:id/events',
      config: { scope: 'predict' },
      schema: {
        operationId: 'listTrainingEvents',
        summary: 'List or follow the events of a training job',
        description:
          `${STREAM}The stream closes after the last event of the job; a reconnecting client then receives ` +
          '204. While the service restarts, streams end with a shorter `retry` and no event is lost. A client that does not keep up is disconnected and can continue from the last id that it read. In a browser, ' +
          'events of type `error` arrive at `onerror`, with `data`. ETags apply to the list only.',
        tags: ['training'],
        params: z.strictObject({ id: z.string().describe('Id of the job, `job_…`') }),
        querystring: eventQuery,
        headers: eventHeaders,
        response: {
          200: {
            description: 'The events',
            content: {
              'application/json': { schema: listSchema(jobEventSchema).meta({ id: 'JobEventList' }) },
              [EVENT_STREAM_TYPE]: { schema: eventStream },
            },
          },
          204: z.undefined().describe('The job has ended and its last event was seen: end of the stream'),
          ...problems(400, 404, 406, 410, 422),
        },
      },
      preValidation: dropEmptyEventId,
      async handler(request, reply) {
        const { params, query, headers } = request;
        await respondEvents(request, reply, params.id, { query, lastId: headers['last-event-id'] });
        return reply;
      },
    });
  };
