/** /v1/training-jobs/{id}/events: a list, or a stream of server-sent events. */
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { wholeNumber } from '../../domain/primitives.ts';
import { jobEventSchema } from '../../domain/training-job.ts';
import { hasCode } from '../../errors.ts';
import type { HealthService } from '../../services/health.ts';
import type { SubscribeEvents } from '../../services/subscribe-events.ts';
import type { TrainingService } from '../../services/training.ts';
import { problems } from '../errors/problem.ts';
import { eventStreamExample } from '../examples/contract.ts';
import type { CountStream } from '../plugins/client-connections.ts';
import { registerEtag } from '../plugins/etag.ts';
import { negotiate } from '../responses/negotiate.ts';
import { EVENT_STREAM_TYPE, RECONNECT_HEADERS, reconnectMessage } from '../responses/reconnect-stream.ts';
import { streamEvents } from '../responses/server-sent-events.ts';
import { listSchema, toList } from '../validation/pagination.ts';

const eventId = wholeNumber(0);
/** Sent unchanged: the schema only documents and types the stream. */
const eventStream = z.string().meta({ examples: [eventStreamExample] }) as unknown as z.ZodType<Readable>;

export const jobEventRoutes =
  (
    training: TrainingService,
    subscribeEvents: SubscribeEvents,
    health: Pick<HealthService, 'stopping'>,
    countStream: CountStream,
  ): FastifyPluginAsyncZod =>
  async (app) => {
    registerEtag(app);

    app.route({
      method: 'GET',
      url: '/training-jobs/:id/events',
      config: { scope: 'predict' },
      schema: {
        operationId: 'listTrainingEvents',
        summary: 'List or follow the events of a training job',
        description:
          '`Accept: text/event-stream` returns a stream: the events stored after `Last-Event-ID` or `after`, then each new event, ' +
          'without gaps or repeats. `id` and `event` are the id and type, `data` is one item of the list. A `:` comment is sent ' +
          'every 15 seconds without events. The stream closes after the last event of the job; a reconnecting client then receives ' +
          '204. While the service restarts, streams end with a shorter `retry` and no event is lost. A client that does not keep up is disconnected and can continue from the last id that it read. In a browser, ' +
          'events of type `error` arrive at `onerror`, with `data`. ETags apply to the list only.',
        tags: ['training'],
        params: z.strictObject({ id: z.string().describe('Id of the job, `job_…`') }),
        querystring: z.strictObject({
          limit: wholeNumber(1, 1000).prefault(1000).describe('Largest number of events in the list'),
          after: eventId.optional().describe('Id of the last event seen'),
        }),
        headers: z.looseObject({
          'last-event-id': eventId
            .optional()
            .describe('Stream only: id of the last event seen; takes precedence over `after`'),
        }),
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
      async preValidation({ raw: { headers } }) {
        // An `EventSource` has no id before the first event, and some send an empty one.
        if (headers['last-event-id'] === '') delete headers['last-event-id'];
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
        const pages = await subscribeEvents(params.id, cursor).catch((error) => {
          if (hasCode(error, 'storage-unavailable')) return null;
          throw error;
        });
        if (pages === null) {
          const message = reconnectMessage('The database does not answer.', lastId);
          return reply.headers(RECONNECT_HEADERS).send(Readable.from([message]));
        }
        if (pages === undefined) return reply.code(204).send();
        const { revoked } = request;
        countStream(reply);
        reply.countAsStream('events');
        return reply.send(streamEvents(reply, cursor.after, pages, { stopping: health.stopping, revoked }));
      },
    });
  };
