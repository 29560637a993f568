/** Responds with events: a list, or a stream of server-sent events. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { wholeNumber } from '../../../domain/primitives.ts';
import { hasCode } from '../../../errors.ts';
import type { EventPage, SubscribeEvents } from '../../../services/events/subscribe.ts';
import type { HealthService } from '../../../services/operations/health.ts';
import type { Page } from '../../../store/persistent-state.ts';
import type { CountStream } from '../../hooks/connections/client-limits.ts';
import { toList } from '../../validation/pagination.ts';
import { negotiate } from '../negotiate.ts';
import { EVENT_STREAM_TYPE, RECONNECT_HEADERS, reconnectMessage } from './reconnect-stream.ts';
import { streamEvents } from './server-sent.ts';

const eventId = wholeNumber(0);

export const eventQuery = z.strictObject({
  limit: wholeNumber(1, 1000).prefault(1000).describe('Largest number of events in the list'),
  after: eventId.optional().describe('Id of the last event seen'),
});

export const eventHeaders = z.looseObject({
  'last-event-id': eventId
    .optional()
    .describe('Stream only: id of the last event seen; takes precedence over `after`'),
});

/** Sent unchanged: the schema only documents and types the stream. */
export const eventStream = z.string() as unknown as z.ZodType<Readable>;

/** How a stream behaves, for the description of an operation. */
export const STREAM =
  '`Accept: text/event-stream` returns a stream: the events stored after `Last-Event-ID` or `after`, then each new event, ' +
  'without gaps or repeats. `id` and `event` are the id and type, `data` is one item of the list. A `:` comment is sent ' +
  'every 15 seconds without events. ';

/** An `EventSource` has no id before the first event, and some send an empty one. Call it before the validation. */
export async function dropEmptyEventId({ raw: { headers } }: FastifyRequest): Promise<void> {
  if (headers['last-event-id'] === '') delete headers['last-event-id'];
}

/** The query and headers of a request, as validated. */
interface EventRequest {
  readonly query: z.output<typeof eventQuery>;
  readonly lastId: number | undefined;
}

export type RespondEvents = (
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  options: EventRequest,
) => Promise<void>;

export function createRespondEvents(options: {
  readonly list: (id: string, query: EventRequest['query']) => Promise<Page<EventPage[number]>>;
  readonly subscribe: SubscribeEvents;
  readonly health: Pick<HealthService, 'stopping'>;
  readonly countStream: CountStream;
}): RespondEvents {
  const { list, subscribe, health, countStream } = options;
  return async (request, reply, id, { query, lastId }) => {
    const type = negotiate(request, reply, ['application/json', EVENT_STREAM_TYPE]);
    if (type === 'application/json') {
      reply.send(toList(await list(id, query), (event) => String(event.id)));
      return;
    }
    const cursor =
      lastId === undefined
        ? { after: query.after ?? 0, parameter: 'after' }
        : { after: lastId, parameter: 'Last-Event-ID' };
    const pages = await subscribe(id, cursor).catch((error) => {
      if (hasCode(error, 'storage-unavailable')) return null;
      throw error;
    });
    if (pages === null) {
      const message = reconnectMessage('The database does not answer.', lastId);
      reply.headers(RECONNECT_HEADERS).send(Readable.from([message]));
      return;
    }
    if (pages === undefined) {
      reply.code(204).send();
      return;
    }
    const { revoked } = request;
    countStream(reply);
    reply.countAsStream('events');
    reply.send(streamEvents(reply, cursor.after, pages, { stopping: health.stopping, revoked }));
  };
}
