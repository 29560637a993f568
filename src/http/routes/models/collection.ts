/** /v1/models: list and show models and their versions. */
import { z } from 'zod';
import { nameSchema, versionNameSchema } from '../../../domain/models/reference.ts';
import { modelSchema, modelVersionSchema } from '../../../domain/models/representation.ts';
import { wholeNumber } from '../../../domain/primitives.ts';
import { MODEL_SORTS, VERSION_SORTS } from '../../../store/models/filters.ts';
import { problems } from '../../errors/problem.ts';
import {
  createVersionSender,
  showModel,
  shownModelSchema,
  shownVersionSchema,
  withReadiness,
} from '../../responses/shown-models.ts';
import { creationFilters, metadataFilter } from '../../validation/list-filters.ts';
import { listSchema, PAGES, paginationQuery, toList } from '../../validation/pagination.ts';
import type { Routes } from '../context.ts';

const tags = ['models'];
export const modelName = z.string().describe('Name of the model');
export const versionName = versionNameSchema.describe('Number of the version, or the name of an alias');
export const deleted = { 204: z.null().describe('Deleted') };
const tag = nameSchema.optional();
const dataset = z.string().max(64).optional();

export const modelRoutes: Routes = async (app, { models, testSets, sendCached }) => {
  const sendVersion = createVersionSender(testSets);

  app.route({
    method: 'GET',
    url: '/models',
    config: { scope: 'predict', priority: 'low' },
    schema: {
      operationId: 'listModels',
      summary: 'List the models, newest first',
      description: `Each model with its newest version and its aliases. Filters apply together, \`tag\`, \`dataset\` and \`metadata\` to the same version. ${PAGES}`,
      tags,
      querystring: z.strictObject({
        ...paginationQuery,
        tag: tag.describe('Only models with a version that has this tag'),
        dataset: dataset.describe('Only models with a version that was trained on this data set'),
        metadata: metadataFilter.describe(
          'Only models with a version that has these entries in `metadata`: `metadata.team=vision` or `metadata[team]=vision`',
        ),
        namePrefix: nameSchema.optional().describe('Only models whose name begins with this'),
        ...creationFilters,
        sort: z.enum(MODEL_SORTS).optional().describe('`-` is descending; newest first by default'),
      }),
      response: { 200: listSchema(modelSchema).meta({ id: 'ModelList' }), ...problems(400) },
    },
    async handler(request, reply) {
      return sendCached(request, reply, async () => {
        const { data, ...page } = await models.list(request.query);
        return toList({ ...page, data: data.map(withReadiness) }, (model) => model.name);
      });
    },
  });

  app.route({
    method: 'GET',
    url: '/models/:name',
    config: { scope: 'predict' },
    schema: {
      operationId: 'getModel',
      summary: 'Get a model and its newest version',
      description:
        'The newest version is the one with the highest number. Predictions without a version use the alias `champion`, and the newest version ' +
        'only if there is no such alias.',
      tags,
      params: z.strictObject({ name: modelName }),
      response: { 200: shownModelSchema, ...problems(400, 404) },
    },
    async handler(request, reply) {
      return sendCached(request, reply, async () => showModel(await models.get(request.params.name)));
    },
  });

  app.route({
    method: 'GET',
    url: '/models/:name/versions',
    config: { scope: 'predict', priority: 'low' },
    schema: {
      operationId: 'listModelVersions',
      summary: 'List the versions of a model, newest first',
      description: `Training jobs that succeed, imports and copies add versions; numbers count from 1 and are not reused. ${PAGES}`,
      tags,
      params: z.strictObject({ name: modelName }),
      querystring: z.strictObject({
        ...paginationQuery,
        after: wholeNumber(1).optional().describe('`lastId` of the previous page'),
        tag: tag.describe('Only versions that have this tag'),
        dataset: dataset.describe('Only versions that were trained on this data set'),
        metadata: metadataFilter.describe(
          'Only versions with these entries in `metadata`: `metadata.team=vision` or `metadata[team]=vision`',
        ),
        ...creationFilters,
        sort: z
          .enum(VERSION_SORTS)
          .optional()
          .describe('`-` is descending; newest first by default, best first with `-testAccuracy`'),
      }),
      response: {
        200: listSchema(modelVersionSchema).meta({ id: 'ModelVersionList' }),
        ...problems(400, 404),
      },
    },
    async handler(request, reply) {
      return sendCached(request, reply, async () =>
        toList(await models.versions(request.params.name, request.query), ({ version }) => String(version)),
      );
    },
  });

  app.route({
    method: 'GET',
    url: '/models/:name/versions/:version',
    config: { scope: 'predict' },
    schema: {
      operationId: 'getModelVersion',
      summary: 'Get a version of a model',
      description:
        'Network, accuracy, lineage and digest of the parameters. These never change; description, metadata and tags can be changed, and `testSet` counts. ' +
        'An alias instead of a number returns the version that it points at now.',
      tags,
      params: z.strictObject({ name: modelName, version: versionName }),
      response: { 200: shownVersionSchema, ...problems(400, 404) },
    },
    async handler({ params }, reply) {
      const version = await models.version(params.name, params.version);
      return sendVersion(reply, version);
    },
  });
};
