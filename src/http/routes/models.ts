/** /v1/models, but for what they predict */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { modelSchema, modelVersionSchema } from '../../domain/model.ts';
import { nameSchema, versionNameSchema } from '../../domain/model-reference.ts';
import { wholeNumber } from '../../domain/primitives.ts';
import type { ModelService } from '../../services/models.ts';
import { problems } from '../errors/problem.ts';
import { registerEtag } from '../plugins/etag.ts';
import { listSchema, noQuery, paginationQuery, toList } from '../validation/pagination.ts';

const tags = ['models'];
export const modelName = z.string().describe('Name of the model');
export const versionName = versionNameSchema.describe('Number of the version, or the name of an alias');
const tag = nameSchema.optional();

export const modelRoutes =
  (models: ModelService): FastifyPluginAsyncZod =>
  async (app) => {
    await registerEtag(app);

    app.route({
      method: 'GET',
      url: '/models',
      config: { scope: 'predict' },
      schema: {
        operationId: 'listModels',
        summary: 'List the models, newest first',
        tags,
        querystring: z.strictObject({
          ...paginationQuery,
          tag: tag.describe('Only models of which a version has this tag'),
        }),
        response: { 200: listSchema(modelSchema).meta({ id: 'ModelList' }), ...problems(400) },
      },
      handler: async (request) => toList(await models.list(request.query), (model) => model.name),
    });

    app.route({
      method: 'GET',
      url: '/models/:name',
      config: { scope: 'predict' },
      schema: {
        operationId: 'getModel',
        summary: 'Show a model and its newest version',
        tags,
        params: z.strictObject({ name: modelName }),
        querystring: noQuery,
        response: { 200: modelSchema, ...problems(400, 404) },
      },
      handler: (request) => models.get(request.params.name),
    });

    app.route({
      method: 'GET',
      url: '/models/:name/versions',
      config: { scope: 'predict' },
      schema: {
        operationId: 'listModelVersions',
        summary: 'List the versions of a model, newest first',
        tags,
        params: z.strictObject({ name: modelName }),
        querystring: z.strictObject({
          ...paginationQuery,
          after: wholeNumber(1).optional().describe('`lastId` of the page before'),
          tag: tag.describe('Only versions that have this tag'),
        }),
        response: {
          200: listSchema(modelVersionSchema).meta({ id: 'ModelVersionList' }),
          ...problems(400, 404),
        },
      },
      handler: async (request) =>
        toList(await models.versions(request.params.name, request.query), (found) => String(found.version)),
    });

    app.route({
      method: 'GET',
      url: '/models/:name/versions/:version',
      config: { scope: 'predict' },
      schema: {
        operationId: 'getModelVersion',
        summary: 'Show a version of a model',
        tags,
        params: z.strictObject({ name: modelName, version: versionName }),
        querystring: noQuery,
        response: { 200: modelVersionSchema, ...problems(400, 404) },
      },
      handler: (request) => models.version(request.params.name, request.params.version),
    });
  };
