/** /v1/models: what changes their aliases, what is said of them, and whether they are there */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { aliasMoveSchema, aliasSchema } from '../../domain/alias.ts';
import { annotationsSchema, modelVersionSchema } from '../../domain/model.ts';
import { aliasNameSchema } from '../../domain/model-reference.ts';
import type { RegistryService } from '../../services/registry.ts';
import { problems } from '../errors/problem.ts';
import { registerEtag } from '../plugins/etag.ts';
import { listSchema, noQuery, paginationQuery, toList } from '../validation/pagination.ts';
import { modelName, versionName } from './models.ts';

const tags = ['models'];
const name = z.strictObject({ name: modelName });
const version = z.strictObject({ name: modelName, version: versionName });
const alias = z.strictObject({ name: modelName, alias: aliasNameSchema.describe('Name of the alias') });
const deleted = { 204: z.null().describe('It is deleted') };

const moveId = z
  .string()
  .regex(/^[1-9][0-9]{0,8}$/, 'must be the id of a move, `lastId` of the page before')
  .transform(Number)
  .optional()
  .describe('`lastId` of the page before');

export const registryRoutes =
  (registry: RegistryService): FastifyPluginAsyncZod =>
  async (app) => {
    await registerEtag(app);

    app.route({
      method: 'GET',
      url: '/models/:name/aliases',
      config: { scope: 'predict' },
      schema: {
        operationId: 'listAliases',
        summary: 'List the aliases of a model, and their moves, newest first',
        description:
          '`limit` and `after` are of the history; `data` is always all there are. To roll back, move the alias to the ' +
          '`previousVersion` of its last move.',
        tags,
        params: name,
        querystring: z.strictObject({ ...paginationQuery, after: moveId }),
        response: {
          200: z
            .object({ data: z.array(aliasSchema), history: listSchema(aliasMoveSchema) })
            .meta({ id: 'AliasList' }),
          ...problems(400, 404),
        },
      },
      async handler(request) {
        const { aliases, history } = await registry.aliases(request.params.name, request.query);
        return { data: aliases, history: toList(history, (move) => String(move.id)) };
      },
    });

    app.route({
      method: 'PUT',
      url: '/models/:name/aliases/:alias',
      config: { scope: 'admin' },
      schema: {
        operationId: 'moveAlias',
        summary: 'Let an alias point at a version of the model',
        description:
          'The alias is created where it is new. Whatever is asked after the answer goes to that version. `champion` is what ' +
          'the name of the model alone means; without it that is the newest version.',
        tags,
        params: alias,
        querystring: noQuery,
        body: z.strictObject({ version: z.int().min(1) }).meta({ id: 'AliasTarget' }),
        response: {
          200: aliasSchema.describe('It points there now'),
          201: aliasSchema.describe('It is new'),
          ...problems(400, 404, 413, 415, 422),
        },
      },
      async handler(request, reply) {
        const { name, alias } = request.params;
        const moved = await registry.moveAlias(name, alias, request.body.version, request.caller);
        return reply.code(moved.created ? 201 : 200).send(moved.alias);
      },
    });

    app.route({
      method: 'DELETE',
      url: '/models/:name/aliases/:alias',
      config: { scope: 'admin' },
      schema: {
        operationId: 'deleteAlias',
        summary: 'Delete an alias, not the version that it points at',
        tags,
        params: alias,
        querystring: noQuery,
        response: { ...deleted, ...problems(400, 404, 413, 415) },
      },
      async handler(request, reply) {
        const { name, alias } = request.params;
        await registry.removeAlias(name, alias, request.caller);
        return reply.code(204).send(null);
      },
    });

    app.route({
      method: 'PATCH',
      url: '/models/:name/versions/:version',
      config: { scope: 'train' },
      schema: {
        operationId: 'annotateModelVersion',
        summary: 'Change the description, metadata or tags of a version',
        description: 'Each that is given replaces what there was; what is not given stays.',
        tags,
        params: version,
        querystring: noQuery,
        body: annotationsSchema,
        response: { 200: modelVersionSchema, ...problems(400, 404, 413, 415, 422) },
      },
      handler: ({ params, body }) => registry.annotate(params.name, params.version, body),
    });

    app.route({
      method: 'DELETE',
      url: '/models/:name/versions/:version',
      config: { scope: 'admin' },
      schema: {
        operationId: 'deleteModelVersion',
        summary: 'Delete a version of a model',
        description:
          '409 while an alias points at it, or a training job that has not ended starts from it. Predictions in flight are ' +
          'answered. The number is never given again.',
        tags,
        params: version,
        querystring: noQuery,
        response: { ...deleted, ...problems(400, 404, 409, 413, 415) },
      },
      async handler(request, reply) {
        await registry.removeVersion(request.params.name, request.params.version);
        return reply.code(204).send(null);
      },
    });

    app.route({
      method: 'DELETE',
      url: '/models/:name',
      config: { scope: 'admin' },
      schema: {
        operationId: 'deleteModel',
        summary: 'Delete a model with all its versions',
        description:
          '409 while it has an alias, or a training job that has not ended starts from one of its versions.',
        tags,
        params: name,
        querystring: noQuery,
        response: { ...deleted, ...problems(400, 404, 409, 413, 415) },
      },
      async handler(request, reply) {
        await registry.removeModel(request.params.name);
        return reply.code(204).send(null);
      },
    });
  };
