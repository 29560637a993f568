/** …/events of training jobs and searches: a list, or a stream of server-sent events. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { jobEventSchema } from '../../domain/jobs/training.ts';
import { wholeNumber } from '../../domain/primitives.ts';
import { searchEventSchema } from '../../domain/searches/representation.ts';
import { hasCode } from '../../errors.ts';
import type { EventPage } from '../../services/events/subscribe.ts';
import type { Page } from '../../store/persistent-state.ts';
import { problems } from '../errors/problem.ts';
import {
  EVENT_STREAM_TYPE,
  RECONNECT_HEADERS,
  reconnectMessage,
} from '../responses/events/reconnect-stream.ts';
import { streamEvents } from '../responses/events/server-sent.ts';
import { negotiate } from '../responses/negotiate.ts';
import type { Services } from '../services.ts';
import { listSchema, toList } from '../validation/pagination.ts';
import type { Routes } from './context.ts';

/** Whose events a route has, and how its operation is documented. */
interface Subject {
  readonly url: string;
  readonly tag: string;
  readonly id: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  /** Description of the end of the stream. */
  readonly end: string;
  readonly schema: z.ZodType;
  readonly list: (services: Services, id: string, query: EventQuery) => Promise<Page<EventPage[number]>>;
  readonly subscribe: 'subscribeEvents' | 'subscribeSearchEvents';
  readonly errors: readonly number[];
}

export const JOB_EVENTS: Subject = {
  url: '/training-jobs/:id/events',
  tag: 'training',
  id: 'Id of the job, `job_…`',
  operationId: 'listTrainingEvents',
  summary: 'List or follow the events of a training job',
  description:
    'The stream closes after the last event of the job; a reconnecting client then receives ' +
    '204. While the service restarts, streams end with a shorter `retry` and no event is lost. A client that does not keep up is disconnected and can continue from the last id that it read. In a browser, ' +
    'events of type `error` arrive at `onerror`, with `data`. ETags apply to the list only.',
  end: 'The job has ended and its last event was seen: end of the stream',
  schema: listSchema(jobEventSchema).meta({ id: 'JobEventList' }),
  list: ({ training }, ...page) => training.events(...page),
  subscribe: 'subscribeEvents',
  errors: [400, 404, 406, 410, 422],
};

export const SEARCH_EVENTS: Subject = {
  url: '/searches/:id/events',
  tag: 'searches',
  id: 'Id of the search, `sea_…`',
  operationId: 'listSearchEvents',
  summary: 'List or follow the events of a search',
  description:
    'The stream closes after the last event of the search. Events of type `trial` report that a training of a trial ' +
    'has started, reached a rung or ended; `rung` the trials that continue and those that are stopped; `final` the final training.',
  end: 'The search has ended and its last event was seen: end of the stream',
  schema: listSchema(searchEventSchema).meta({ id: 'SearchEventList' }),
  list: ({ searches }, ...page) => searches.events(...page),
  subscribe: 'subscribeSearchEvents',
  errors: [400, 404, 406, 422],
};

const eventId = wholeNumber(0);
const eventQuery = z.strictObject({
  limit: wholeNumber(1, 1000).prefault(1000).describe('Largest number of events in the list'),
  after: eventId.optional().describe('Id of the last event seen'),
});
const eventHeaders = z.looseObject({
  'last-event-id': eventId
    .optional()
    .describe('Stream only: id of the last event seen; takes precedence over `after`'),
});
type EventQuery = z.output<typeof eventQuery>;

const STREAM =
  '`Accept: text/event-stream` returns a stream: the events stored after `Last-Event-ID` or `after`, then each new event, ' +
  'without gaps or repeats. `id` and `event` are the id and type, `data` is one item of the list. A `:` comment is sent ' +
  'every 15 seconds without events. ';

/** An `EventSource` has no id before the first event, and some send an empty one. Called before the validation. */
async function dropEmptyEventId({ raw: { headers } }: FastifyRequest): Promise<void> {
  if (headers['last-event-id'] === '') delete headers['last-event-id'];
}

export const eventRoutes =
  (subject: Subject): Routes =>
  async (app, context) => {
    const { health, countStream } = context;

    app.route({
      method: 'GET',
      url: subject.url,
      config: { scope: 'predict' },
      schema: {
        operationId: subject.operationId,
        summary: subject.summary,
        description: STREAM + subject.description,
        tags: [subject.tag],
        params: z.strictObject({ id: z.string().describe(subject.id) }),
        querystring: eventQuery,
        headers: eventHeaders,
        response: {
          200: {
            description: 'The events',
            content: {
              'application/json': { schema: subject.schema },
              // Sent unchanged: the schema only documents the stream.
              [EVENT_STREAM_TYPE]: { schema: z.string() },
            },
          },
          204: z.undefined().describe(subject.end),
          ...problems(...subject.errors),
        },
      },
      preValidation: dropEmptyEventId,
      async handler(request, reply) {
        const { params, query, headers } = request;
        const type = negotiate(request, reply, ['application/json', EVENT_STREAM_TYPE]);
        if (type === 'application/json') {
          reply.send(toList(await subject.list(context, params.id, query), (event) => String(event.id)));
        } else {
          await sendStream(request, reply, params.id, query.after, headers['last-event-id']);
        }
        return reply;
      },
    });

    /** @param lastId takes precedence over `after` */
    async function sendStream(
      { revoked }: FastifyRequest,
      reply: FastifyReply,
      id: string,
      after = 0,
      lastId?: number,
    ): Promise<void> {
      const cursor =
        lastId === undefined ? { after, parameter: 'after' } : { after: lastId, parameter: 'Last-Event-ID' };
      const pages = await context[subject.subscribe](id, cursor).catch((error) => {
        if (hasCode(error, 'storage-unavailable')) return null;
        throw error;
      });
      if (pages === null) {
        const message = reconnectMessage('The database does not answer.');
        reply.headers(RECONNECT_HEADERS).send(Readable.from([message]));
        return;
      }
      if (pages === undefined) {
        reply.code(204).send();
        return;
      }
      countStream(reply);
      reply.countAsStream('events');
      reply.send(streamEvents(reply, pages, { stopping: health.stopping, revoked }));
    }
  };
