/** /v1/searches/{id}/events: a list, or a stream of server-sent events. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { searchEventSchema } from '../../../domain/searches/representation.ts';
import { registerEtag } from '../../conditional/etag.ts';
import { problems } from '../../errors/problem.ts';
import { EVENT_STREAM_TYPE } from '../../responses/events/reconnect-stream.ts';
import {
  dropEmptyEventId,
  eventHeaders,
  eventQuery,
  eventStream,
  type RespondEvents,
  STREAM,
} from '../../responses/events/respond.ts';
import { listSchema } from '../../validation/pagination.ts';

export const searchEventRoutes =
  (respondEvents: RespondEvents): FastifyPluginAsyncZod =>
  async (app) => {
    registerEtag(app);

    app.route({
      method: 'GET',
      url: '/searches/:id/events',
      config: { scope: 'predict' },
      schema: {
        operationId: 'listSearchEvents',
        summary: 'List or follow the events of a search',
        description:
          `${STREAM}The stream closes after the last event of the search. Events of type \`trial\` report that a training of a trial ` +
          'has started, reached a rung or ended; `rung` the trials that continue and those that are stopped; `final` the final training.',
        tags: ['searches'],
        params: z.strictObject({ id: z.string().describe('Id of the search, `sea_…`') }),
        querystring: eventQuery,
        headers: eventHeaders,
        response: {
          200: {
            description: 'The events',
            content: {
              'application/json': { schema: listSchema(searchEventSchema).meta({ id: 'SearchEventList' }) },
              [EVENT_STREAM_TYPE]: { schema: eventStream },
            },
          },
          204: z.undefined().describe('The search has ended and its last event was seen: end of the stream'),
          ...problems(400, 404, 406, 422),
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
