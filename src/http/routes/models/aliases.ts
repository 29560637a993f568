/** /v1/models/{name}/aliases: list, show, move, delete. */
import { z } from 'zod';
import { aliasMoveSchema, aliasSchema } from '../../../domain/models/alias.ts';
import { aliasNameSchema } from '../../../domain/models/reference.ts';
import type { AliasState } from '../../../store/models/aliases.ts';
import { type CurrentState, preconditionHeaders, toPrecondition } from '../../conditional/preconditions.ts';
import { problems } from '../../errors/problem.ts';
import { cursor, listSchema, paginationQuery, toList } from '../../validation/pagination.ts';
import type { Routes } from '../context.ts';
import { deleted, modelName } from './collection.ts';

const tags = ['models'];
const alias = z.strictObject({ name: modelName, alias: aliasNameSchema.describe('Name of the alias') });

export const aliasRoutes: Routes = async (app, { registry, sendCached }) => {
  app.route({
    method: 'GET',
    url: '/models/:name/aliases',
    config: { scope: 'predict', priority: 'low' },
    schema: {
      operationId: 'listAliases',
      summary: 'List the aliases of a model and their history, newest first',
      description:
        '`limit` and `after` apply to the history; `data` always holds all aliases. To roll back, move the alias to the ' +
        '`previousVersion` of its last move.',
      tags,
      params: z.strictObject({ name: modelName }),
      querystring: z.strictObject({
        ...paginationQuery,
        after: cursor(/^[1-9][0-9]{0,8}$/, 'a move')
          .transform(Number)
          .optional(),
      }),
      response: {
        200: z
          .object({ data: z.array(aliasSchema), history: listSchema(aliasMoveSchema) })
          .meta({ id: 'AliasList' }),
        ...problems(400, 404),
      },
    },
    async handler(request, reply) {
      return sendCached(request, reply, async () => {
        const { aliases, history } = await registry.aliases(request.params.name, request.query);
        return { data: aliases, history: toList(history, (move) => String(move.id)) };
      });
    },
  });

  app.route({
    method: 'GET',
    url: '/models/:name/aliases/:alias',
    config: { scope: 'predict' },
    schema: {
      operationId: 'getAlias',
      summary: 'Get an alias',
      description:
        'Every move changes the ETag, so an alias that moves away and back has another one. Send it in `If-Match` to move or ' +
        'delete the alias only if it has not been moved since.',
      tags,
      params: alias,
      response: { 200: aliasSchema, ...problems(400, 404) },
    },
    async handler(request, reply) {
      const { name, alias } = request.params;
      const state = await registry.alias(name, alias);
      return reply.header('etag', aliasTag(state)).send(state.alias);
    },
  });

  app.route({
    method: 'PUT',
    url: '/models/:name/aliases/:alias',
    config: { scope: 'promote' },
    schema: {
      operationId: 'moveAlias',
      summary: 'Create or move an alias',
      description:
        'Requests that arrive after the response use the new version. The alias `champion` is the default version of the model; ' +
        'without it the newest version is. With the ETag of the alias in `If-Match`, of several clients that have read the same ' +
        'state one moves the alias, and the others get 412. With `If-None-Match: *` the alias is only created.',
      tags,
      params: alias,
      headers: preconditionHeaders,
      body: z.strictObject({ version: z.int().min(1) }).meta({ id: 'AliasTarget' }),
      response: {
        200: aliasSchema.describe('The alias was moved, or already pointed there'),
        201: aliasSchema.describe('The alias was created'),
        ...problems(400, 404, 412, 413, 415, 422, 507),
      },
      responseHeaders: { 200: ['ETag'], 201: ['ETag'] },
    },
    async handler(request, reply) {
      const { name, alias } = request.params;
      const moved = await registry.moveAlias(
        name,
        alias,
        request.body.version,
        request.caller,
        toPrecondition(request, (stored) => describeAlias(alias, stored)),
      );
      reply.header('etag', aliasTag(moved));
      return reply.code(moved.created ? 201 : 200).send(moved.alias);
    },
  });

  app.route({
    method: 'DELETE',
    url: '/models/:name/aliases/:alias',
    config: { scope: 'promote' },
    schema: {
      operationId: 'deleteAlias',
      summary: 'Delete an alias, but not the version that it points at',
      description:
        'Requests that arrive after the response and use the alias return 404; without `champion`, the newest version becomes the default. ' +
        'The history of the alias is kept.',
      tags,
      params: alias,
      headers: preconditionHeaders,
      response: { ...deleted, ...problems(400, 404, 412, 413, 415, 507) },
    },
    async handler(request, reply) {
      const { name, alias } = request.params;
      const precondition = toPrecondition<AliasState>(request, (stored) => describeAlias(alias, stored));
      await registry.removeAlias(name, alias, request.caller, precondition);
      return reply.code(204).send(null);
    },
  });
};

/** The time distinguishes moves that got the same number, one before a backup was restored and one after it. */
function aliasTag({ alias, move }: AliasState): string {
  return `"${move}-${Date.parse(alias.movedAt)}"`;
}

function describeAlias(alias: string, stored: AliasState | undefined): CurrentState {
  if (stored === undefined) return { tag: null, description: `the alias ${alias} does not exist` };
  const { version, movedAt, movedBy } = stored.alias;
  const description = `${movedBy} pointed the alias ${alias} at version ${version} at ${movedAt}`;
  return { tag: aliasTag(stored), description };
}
