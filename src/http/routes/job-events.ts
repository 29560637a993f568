/** /v1/training-jobs/{id}/events */
import type { Readable } from 'node:stream';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { wholeNumber } from '../../domain/primitives.ts';
import { jobEventSchema } from '../../domain/training-job.ts';
import type { HealthService } from '../../services/health.ts';
import type { SubscribeEvents } from '../../services/subscribe-events.ts';
import type { TrainingService } from '../../services/training.ts';
import { problems } from '../errors/problem.ts';
import { eventStreamExample } from '../examples/contract.ts';
import { registerEtag } from '../plugins/etag.ts';
import { negotiate } from '../responses/negotiate.ts';
import { EVENT_STREAM_TYPE, streamEvents } from '../responses/server-sent-events.ts';
import { listSchema, toList } from '../validation/pagination.ts';

const eventId = wholeNumber(0);
/** Sent as it is: the schema only documents, and types what the route sends. */
const eventStream = z.string().meta({ examples: [eventStreamExample] }) as unknown as z.ZodType<Readable>;

export const jobEventRoutes =
  (
    training: TrainingService,
    followEvents: SubscribeEvents,
    health: Pick<HealthService, 'stopping'>,
    graceSeconds: number,
  ): FastifyPluginAsyncZod =>
  async (app) => {
    await registerEtag(app);

    app.route({
      method: 'GET',
      url: '/training-jobs/:id/events',
      config: { scope: 'predict' },
      schema: {
        operationId: 'listTrainingEvents',
        summary: 'What happened to a training job, in order: as a list, or as a live stream by Accept',
        description:
          'As `text/event-stream`: those that are stored after `Last-Event-ID` or `after`, then each as it happens, without gaps ' +
          'or repeats; `id` and `event` are the id and type, `data` is one item of the list. A `:` comment follows every 15 quiet ' +
          'seconds. The stream closes when the job has ended and all was sent; who comes back then is answered with 204. A reader ' +
          'that does not keep up is dropped, and goes on by the id that it read last. In a browser, events of type `error` arrive ' +
          'at `onerror`, with `data`. ETags are those of the list.',
        tags: ['training'],
        params: z.strictObject({ id: z.string().describe('Id of the job, `job_…`') }),
        querystring: z.strictObject({
          limit: wholeNumber(1, 1000).prefault(1000).describe('Of the list'),
          after: eventId.optional().describe('Id of the last event seen'),
        }),
        headers: z.looseObject({
          'last-event-id': eventId
            .optional()
            .describe('Of the stream: id of the last event seen; goes before `after`'),
        }),
        response: {
          200: {
            description: 'The events',
            content: {
              'application/json': { schema: listSchema(jobEventSchema).meta({ id: 'JobEventList' }) },
              [EVENT_STREAM_TYPE]: { schema: eventStream },
            },
          },
          204: z
            .undefined()
            .describe('The job has ended, and its last event has been seen: end of the stream'),
          ...problems(400, 404, 406, 422),
        },
      },
      async handler(request, reply) {
        const { params, query, headers } = request;
        const type = negotiate(request, reply, ['application/json', EVENT_STREAM_TYPE]);
        if (type === 'application/json') {
          return reply.send(toList(await training.events(params.id, query), (event) => String(event.id)));
        }
        const lastId = headers['last-event-id'];
        const cursor =
          lastId === undefined
            ? { after: query.after ?? 0, parameter: 'after' }
            : { after: lastId, parameter: 'Last-Event-ID' };
        const pages = await followEvents(params.id, cursor);
        if (pages === undefined) return reply.code(204).send();
        return reply.send(streamEvents(reply, health.stopping, pages, graceSeconds));
      },
    });
  };
