/** /v1/models: list, show, annotate, delete, import. */
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  annotationsSchema,
  type Model,
  type ModelVersion,
  modelSchema,
  modelVersionSchema,
  versionCopySchema,
} from '../../domain/model.ts';
import { nameSchema, versionNameSchema } from '../../domain/model-reference.ts';
import { wholeNumber } from '../../domain/primitives.ts';
import { testSetSchema } from '../../domain/test-set.ts';
import {
  modelStatus,
  modelStatusFields,
  versionStatus,
  versionStatusFields,
} from '../../protocols/tensorflow/model-status.ts';
import type { IdempotencyService } from '../../services/idempotency.ts';
import type { ImportService } from '../../services/imports.ts';
import type { ModelRegistryService } from '../../services/model-registry.ts';
import type { ModelService } from '../../services/models.ts';
import type { TestSetService } from '../../services/test-sets.ts';
import type { IdempotencyRecord } from '../../store/idempotency.ts';
import { MODEL_SORTS, VERSION_SORTS } from '../../store/version-filters.ts';
import { readModelUpload } from '../bodies/model-upload.ts';
import { requireMultipart } from '../bodies/multipart.ts';
import { modelUploadContent } from '../bodies/request-content.ts';
import { problems } from '../errors/problem.ts';
import { tagWith } from '../plugins/entity-tags.ts';
import { contentTag, registerEtag } from '../plugins/etag.ts';
import { respondIdempotently } from '../plugins/idempotency.ts';
import { type CurrentState, preconditionHeaders, toPrecondition } from '../plugins/preconditions.ts';
import { disconnectSignal } from '../responses/client-disconnect.ts';
import type { SendCached } from '../responses/page-cache.ts';
import { creationFilters, metadataFilter } from '../validation/list-filters.ts';
import { listSchema, noQuery, PAGES, paginationQuery, toList } from '../validation/pagination.ts';

const tags = ['models'];
export const modelName = z.string().describe('Name of the model');
export const versionName = versionNameSchema.describe('Number of the version, or the name of an alias');
export const deleted = { 204: z.null().describe('Deleted') };
const tag = nameSchema.optional();
const dataset = z.string().max(64).optional();
/** KServe v1 reads the readiness of a model at its path. */
const withReadiness = (model: Model): Model => ({ ...model, ready: true });

/** A model as its own route shows it, with the status that clients of TensorFlow Serving read. */
export const shownModelSchema = modelSchema.extend(modelStatusFields).meta({ id: 'ShownModel' });
export const shownVersionSchema = modelVersionSchema
  .extend({ ...versionStatusFields, testSet: testSetSchema.nullable().describe('null without a data set') })
  .meta({ id: 'ShownModelVersion' });
const showModel = (model: Model) => ({ ...withReadiness(model), ...modelStatus(model) });

export const modelRoutes =
  (
    models: ModelService,
    registry: ModelRegistryService,
    testSets: TestSetService,
    idempotency: IdempotencyService,
    sendCached: SendCached,
  ): FastifyPluginAsyncZod =>
  async (app) => {
    registerEtag(app);

    async function sendVersion(reply: FastifyReply, version: ModelVersion) {
      const testSet = await testSets.describe(version);
      const shown = { ...version, ...versionStatus(version.version), testSet };
      return reply.header('etag', tagWith(stateTag(version), testSet)).send(shown);
    }

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
        querystring: noQuery,
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
      method: 'POST',
      url: '/models/:name/versions',
      config: { scope: 'promote', idempotent: true },
      schema: {
        operationId: 'copyModelVersion',
        summary: 'Publish a copy of a version under this name',
        description:
          'For example a version of an experiment as the next one of the model that is served. Class names, standardization, accuracy, ' +
          'description, metadata, tags and lineage go along, and `lineage.copiedFrom` names the original; the parameters are stored once. ' +
          'The first version of a new name becomes its champion; otherwise, move the alias.',
        tags,
        params: z.strictObject({ name: nameSchema.describe('Name of the model, which may be new') }),
        querystring: noQuery,
        body: versionCopySchema,
        response: {
          201: modelVersionSchema.describe('The copy'),
          ...problems(400, 404, 409, 413, 415, 422, 507),
        },
        responseHeaders: { 201: ['Location'] },
      },
      async handler(request, reply) {
        const copy = (record?: IdempotencyRecord<ModelVersion>) =>
          registry.copyVersion(request.params.name, request.body.from, record);
        return respondIdempotently(idempotency, request, reply, copy, toPublished);
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
        querystring: noQuery,
        response: { 200: shownVersionSchema, ...problems(400, 404) },
      },
      async handler({ params }, reply) {
        const version = await models.version(params.name, params.version);
        return sendVersion(reply, version);
      },
    });

    app.route({
      method: 'PATCH',
      url: '/models/:name/versions/:version',
      config: { scope: 'train' },
      schema: {
        operationId: 'annotateModelVersion',
        summary: 'Change the description, metadata or tags of a version',
        description: 'Each field that is sent replaces the stored one; all others stay unchanged.',
        tags,
        params: z.strictObject({ name: modelName, version: versionName }),
        querystring: noQuery,
        headers: preconditionHeaders,
        body: annotationsSchema,
        response: { 200: shownVersionSchema, ...problems(400, 404, 412, 413, 415, 422, 507) },
        responseHeaders: { 200: ['ETag'] },
      },
      async handler(request, reply) {
        const { params, body } = request;
        const precondition = toPrecondition(request, describeState);
        const version = await registry.annotate(params.name, params.version, body, precondition);
        return sendVersion(reply, version);
      },
    });

    app.route({
      method: 'DELETE',
      url: '/models/:name/versions/:version',
      config: { scope: 'admin' },
      schema: {
        operationId: 'deleteModelVersion',
        summary: 'Delete a version of a model',
        description:
          '409 while an alias points at it or an unfinished training job starts from it. Predictions in flight are completed. ' +
          'The number is never reused.',
        tags,
        params: z.strictObject({ name: modelName, version: versionName }),
        querystring: noQuery,
        headers: preconditionHeaders,
        response: { ...deleted, ...problems(400, 404, 409, 412, 413, 415, 507) },
      },
      async handler(request, reply) {
        const { name, version } = request.params;
        await registry.removeVersion(name, version, toPrecondition(request, describeState));
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
          '409 while it has an alias or an unfinished training job starts from one of its versions. A `champion` that no client moved does not count.',
        tags,
        params: z.strictObject({ name: modelName }),
        querystring: noQuery,
        headers: preconditionHeaders,
        response: { ...deleted, ...problems(400, 404, 409, 412, 413, 415, 507) },
      },
      async handler(request, reply) {
        await registry.removeModel(request.params.name, toPrecondition(request, describeState));
        return reply.code(204).send(null);
      },
    });
  };

/** The tag of a model or version depends on everything that its representation shows. */
const stateTag = (stored: Model | ModelVersion): string =>
  contentTag(JSON.stringify('versions' in stored ? showModel(stored) : stored));

function describeState(stored: Model | ModelVersion): CurrentState {
  const description =
    'version' in stored
      ? `version ${stored.version} of model ${stored.name} has changed`
      : `the model ${stored.name} has changed; its newest version is ${stored.latest.version}`;
  return { tag: stateTag(stored), description };
}

export const modelImportRoutes =
  (imports: ImportService, idempotency: IdempotencyService, maxBodyBytes: number): FastifyPluginAsyncZod =>
  async (app) => {
    requireMultipart(app);
    app.route({
      method: 'POST',
      url: '/models',
      config: { scope: 'train', idempotent: true },
      bodyLimit: maxBodyBytes,
      schema: {
        operationId: 'importModel',
        summary: 'Import a model file as the next version of a model',
        description:
          'An export of this service, a scikit-learn `MLPClassifier` (`coefs_0`, `intercepts_0`, …) or a PyTorch `state_dict` ' +
          '(`0.weight`, `0.bias`, …) in .npz or safetensors, an ONNX graph of fully connected layers, or a packed vector in .npy; see docs/reference/model-files.md. ' +
          'Defaults fill in what neither the file nor the form states, and `lineage.import.assumed` lists them: the activation ' +
          'is relu, pixels are divided by 255 and not standardized, class names are those of the data set, layers without biases have zero biases. The accuracy is ' +
          'measured on the test images of `dataset`, by default Fashion-MNIST if its classes match. A body of at most ' +
          '`MAX_BODY_BYTES`, 64 MiB by default.',
        tags,
        querystring: noQuery,
        requestContent: modelUploadContent,
        readsDataset: true,
        response: {
          201: modelVersionSchema.describe('The version'),
          ...problems(400, 409, 413, 415, 422, 503, 507),
        },
        responseHeaders: { 201: ['Location'] },
      },
      async handler(request, reply) {
        const upload = await readModelUpload(request, maxBodyBytes);
        const create = (record?: IdempotencyRecord<ModelVersion>) =>
          imports.import(upload, upload.request, disconnectSignal(reply), record, request.caller);
        const content = { ...upload.fields, file: upload.digest };
        return respondIdempotently(idempotency, request, reply, create, toPublished, content);
      },
    });
  };

const toPublished = (version: ModelVersion) => ({
  status: 201,
  location: `/v1/models/${version.name}/versions/${version.version}`,
  body: version,
});
