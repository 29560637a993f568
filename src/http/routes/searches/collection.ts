/** /v1/searches: start, preview, list, show, leaderboard, pause, resume, cancel, finish, delete. */
import { z } from 'zod';
import {
  type Search,
  type SearchChange,
  searchPreviewSchema,
  searchSchema,
  searchStatusSchema,
  trialSchema,
} from '../../../domain/searches/representation.ts';
import { searchRequestSchema } from '../../../domain/searches/request.ts';
import { type Create, respondIdempotently } from '../../conditional/idempotency.ts';
import { problems } from '../../errors/problem.ts';
import { requirePublicationScope } from '../../hooks/access/authentication.ts';
import { trackRequestId } from '../../hooks/lifecycle/request-context.ts';
import { readTraceparent } from '../../hooks/lifecycle/trace-context.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { renderLeaderboard, sendTable } from '../../responses/csv-tables.ts';
import { stateTag } from '../../responses/stored-state.ts';
import { cursor, listSchema, PAGES, paginationQuery, toList } from '../../validation/pagination.ts';
import type { Routes } from '../context.ts';
import { registerLifecycle } from '../lifecycle.ts';

const tags = ['searches'];
const params = z.strictObject({ id: z.string().describe('Id of the search, `sea_…`') });

const CHANGES: readonly { change: SearchChange; summary: string; description: string }[] = [
  {
    change: 'pause',
    summary: 'Pause a search',
    description: 'Queued jobs are paused immediately, running ones with a checkpoint within a batch.',
  },
  {
    change: 'resume',
    summary: 'Resume a paused search',
    description: 'The jobs continue from their checkpoints. The result is the same as without the pause.',
  },
  {
    change: 'cancel',
    summary: 'Cancel a search',
    description: 'Its unfinished jobs are cancelled and lose their checkpoints. There is no final training.',
  },
  {
    change: 'finish',
    summary: 'Finish a search with the trials that it has',
    description:
      'Unfinished trials are stopped. The best one of those that got furthest gets the final training, with all epochs if it was stopped.',
  },
];

export const searchRoutes: Routes = async (app, { searches, idempotency }) => {
  trackRequestId(app);

  app.route({
    method: 'POST',
    url: '/searches',
    config: { scope: 'train', idempotent: true },
    schema: {
      operationId: 'startSearch',
      summary: 'Start a search for the best options of a training',
      description:
        '`vary` names fields of the training request, and their values. Each trial is a training job with one value for each of them; ' +
        'trials are compared on the validation images and never see the test images. The winner depends on the request alone, unless `budget.seconds` ends the search. ' +
        'Every trial is checked before the search starts. A `final.publish.promote` other than `never` requires the scope `promote`.',
      tags,
      body: searchRequestSchema,
      readsDataset: true,
      response: {
        202: searchSchema.describe('The search, running'),
        ...problems(400, 409, 413, 415, 422, 429, 503, 507),
      },
      responseHeaders: { 202: ['Location'] },
    },
    async handler(request, reply) {
      requirePublicationScope(request, reply, request.body.final.publish);
      const start: Create<Search> = (record) =>
        searches.start(request.body, record, readTraceparent(request.headers));
      return respondIdempotently(idempotency, request, reply, start, (search) => ({
        status: 202,
        location: `/v1/searches/${search.id}`,
        body: search,
      }));
    },
  });

  app.route({
    method: 'POST',
    url: '/searches/preview',
    config: { scope: 'train' },
    schema: {
      operationId: 'previewSearch',
      summary: 'Show the settings that a search would train',
      description:
        'Rejects what `POST /v1/searches` rejects, and starts nothing. The first preview of some options takes a few tenths of a second, ' +
        'because steps of up to three settings are timed.',
      tags,
      body: searchRequestSchema,
      readsDataset: true,
      response: { 200: searchPreviewSchema, ...problems(400, 413, 415, 422, 503) },
    },
    async handler(request, reply) {
      requirePublicationScope(request, reply, request.body.final.publish);
      return searches.preview(request.body, disconnectSignal(reply));
    },
  });

  app.route({
    method: 'GET',
    url: '/searches',
    config: { scope: 'predict', priority: 'low' },
    schema: {
      operationId: 'listSearches',
      summary: 'List searches, newest first',
      description: PAGES,
      tags,
      querystring: z.strictObject({
        ...paginationQuery,
        after: cursor(/^sea_[0-7][0-9A-HJKMNP-TV-Z]{25}$/, 'a search').optional(),
        status: searchStatusSchema.optional(),
      }),
      response: { 200: listSchema(searchSchema).meta({ id: 'SearchList' }), ...problems(400) },
    },
    handler: async (request) => toList(await searches.list(request.query), ({ id }) => id),
  });

  app.route({
    method: 'GET',
    url: '/searches/:id',
    config: { scope: 'predict' },
    schema: {
      operationId: 'getSearch',
      summary: 'Get a search, its progress and its best trial',
      description:
        'The search has ended when `finishedAt` is not null: `status` is then `succeeded`, with the published version in `model`, ' +
        '`failed`, with the reason in `error`, or `cancelled`.',
      tags,
      params,
      response: { 200: searchSchema, ...problems(400, 404) },
    },
    async handler(request, reply) {
      const search = await searches.get(request.params.id);
      return reply.header('etag', stateTag(search)).send(search);
    },
  });

  app.route({
    method: 'GET',
    url: '/searches/:id/trials',
    config: { scope: 'predict', priority: 'low' },
    schema: {
      operationId: 'listTrials',
      summary: 'Get the leaderboard of a search, the best trial first',
      description:
        'Trials that got further come first, then those with the better objective; failed ones come last. Without pages: at most 1,000 trials. ' +
        '`Accept: text/csv` returns a table with a header row and a column for each path that varies.',
      tags,
      params,
      response: {
        200: {
          description: 'One item per trial',
          content: {
            'application/json': {
              schema: z.object({ data: z.array(trialSchema) }).meta({ id: 'Leaderboard' }),
            },
            'text/csv': { schema: z.string() },
          },
        },
        ...problems(400, 404, 406),
      },
    },
    async handler(request, reply) {
      const { id } = request.params;
      const rank = async () => ({ data: await searches.leaderboard(id) });
      return sendTable(request, reply, rank, async ({ data }) => {
        const { vary } = await searches.get(id);
        return renderLeaderboard(
          vary.map(({ path }) => path),
          data,
        );
      });
    },
  });

  registerLifecycle(app, {
    url: '/searches/:id',
    name: 'Search',
    what: 'search',
    tags,
    params,
    schema: searchSchema,
    changes: CHANGES,
    change: (...change) => searches.change(...change),
    deletion: {
      summary: 'Delete an ended search',
      description:
        'Deletes the search with its trials, their jobs and its final job. The version that it published stays. 409 while the search has ' +
        'not ended, or an unfinished job starts from a checkpoint of one of its jobs.',
    },
    remove: (id, precondition) => searches.remove(id, precondition),
  });
};
