/** /v1/datasets: list, show, upload, delete. */
import { z } from 'zod';
import { type Catalog, listDatasetIds } from '../../../datasets/catalog.ts';
import {
  checkedDatasetSchema,
  type DatasetSummary,
  datasetSchema,
} from '../../../domain/datasets/representation.ts';
import { datasetFieldsSchema, FILE_PARTS } from '../../../domain/datasets/upload-form.ts';
import { AtelierError } from '../../../errors.ts';
import type { AddedDataset } from '../../../store/datasets/repository.ts';
import { DATASET_FORM_LIMITS, type StoredForm } from '../../bodies/form.ts';
import { isForm, malformedForm, registerForms } from '../../bodies/multipart.ts';
import { withStoredForm } from '../../bodies/receive-file.ts';
import { tagWith } from '../../conditional/entity-tags.ts';
import { type Create, respondIdempotently } from '../../conditional/idempotency.ts';
import { type CurrentState, preconditionHeaders, toPrecondition } from '../../conditional/preconditions.ts';
import { problems } from '../../errors/problem.ts';
import { limitLargeBodies } from '../../hooks/overload/large-bodies.ts';
import { datasetUploadContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { stateTag } from '../../responses/stored-state.ts';
import { creationFilters } from '../../validation/list-filters.ts';
import { listSchema, PAGES, paginationQuery, toList } from '../../validation/pagination.ts';
import type { Routes } from '../context.ts';

const tags = ['datasets'];
/** The form of an upload. */
export const DATASET_FORM: StoredForm<typeof datasetFieldsSchema> = {
  fields: datasetFieldsSchema,
  files: Object.fromEntries(FILE_PARTS.map((name) => [name, 'optional'])),
  stored: 'the data set',
  limits: DATASET_FORM_LIMITS,
  example: (name) => `curl -F ${name}=@mine.npz`,
  tooLarge: (maxBytes) =>
    `The files of the data set are larger than the limit MAX_DATASET_BYTES, ${maxBytes} bytes in total. Images of dtype u1 take the least space.`,
  tooManyFiles: () => malformedForm(`it has more than ${DATASET_FORM_LIMITS.files} files`),
  otherFile: (name) =>
    name in datasetFieldsSchema.shape
      ? 'Must be text, not a file.'
      : `Is not a file of a data set. Allowed: ${FILE_PARTS.join(', ')}.`,
};

export const datasetId = z.string().describe('Id of the data set');

/** @throws AtelierError `dataset-not-found` */
export function orNotFound<T>(dataset: T | undefined, datasetId: string, catalog: Catalog): T {
  if (dataset !== undefined) return dataset;
  const message = `Data set ${datasetId} does not exist. Existing data sets: ${listDatasetIds(catalog)}.`;
  throw new AtelierError('dataset-not-found', message);
}

export const datasetRoutes: Routes = async (
  app,
  { catalog, testSets, uploads, idempotency, maxDatasetBytes, slowClients, onLimit },
) => {
  app.route({
    method: 'GET',
    url: '/datasets',
    config: { scope: 'predict' },
    schema: {
      operationId: 'listDatasets',
      summary: 'List the data sets, newest first',
      description: `Fashion-MNIST and uploaded data sets, with the report of their validation. ${PAGES}`,
      tags,
      querystring: z.strictObject({
        ...paginationQuery,
        ...creationFilters,
        sort: z
          .enum(['-createdAt', 'createdAt'])
          .optional()
          .describe('`-` is descending; newest first by default'),
      }),
      response: { 200: listSchema(datasetSchema).meta({ id: 'DatasetList' }), ...problems(400) },
    },
    handler: async ({ query: { limit, after, sort, createdAfter, createdBefore } }) => {
      const all = sort === 'createdAt' ? catalog.list().toReversed() : catalog.list();
      const start = after === undefined ? 0 : all.findIndex((dataset) => dataset.id === after) + 1;
      if (after !== undefined && start === 0) {
        const detail = 'Must be the id of a data set: `lastId` of the previous page.';
        throw new AtelierError('invalid-request', `The query is invalid. after: ${detail}`, {
          details: [{ parameter: 'after', detail }],
        });
      }
      // Fashion-MNIST has no time of creation.
      const rest = all.slice(start).filter(({ createdAt }) => {
        const time = Date.parse(createdAt ?? '');
        if (createdAfter !== undefined && !(time > Date.parse(createdAfter))) return false;
        return createdBefore === undefined || time < Date.parse(createdBefore);
      });
      return toList({ data: rest.slice(0, limit), hasMore: rest.length > limit }, (dataset) => dataset.id);
    },
  });

  app.route({
    method: 'GET',
    url: '/datasets/:id',
    config: { scope: 'predict' },
    schema: {
      operationId: 'getDataset',
      summary: 'Get a data set',
      description:
        'Class names, numbers of images of each split, how many test results were revealed, and the report of the validation. The rest of a data set never changes, because its id is derived ' +
        'from its content; only uploaded ones can be deleted.',
      tags,
      params: z.strictObject({ id: datasetId }),
      response: { 200: datasetSchema, ...problems(400, 404) },
    },
    async handler({ params }, reply) {
      const dataset = orNotFound(await catalog.find(params.id), params.id, catalog);
      const looks = await testSets.looksAt(dataset);
      const { test, ...others } = dataset.splits;
      return reply
        .header('etag', tagWith(stateTag(dataset), looks))
        .send({ ...dataset, splits: { ...others, test: { ...test, looks } } });
    },
  });

  app.route({
    method: 'DELETE',
    url: '/datasets/:id',
    config: { scope: 'admin' },
    schema: {
      operationId: 'deleteDataset',
      summary: 'Delete an uploaded data set',
      description:
        '409 while an unfinished training job uses it. Models that were trained on it remain unchanged.',
      tags,
      params: z.strictObject({ id: datasetId }),
      headers: preconditionHeaders,
      response: { 204: z.undefined().describe('Deleted'), ...problems(400, 404, 409, 412, 507) },
    },
    async handler(request, reply) {
      await uploads.remove(request.params.id, toPrecondition(request, describeState));
      return reply.code(204).send();
    },
  });

  await app.register(async (scope) => {
    limitLargeBodies(scope, slowClients, onLimit);
    scope.removeAllContentTypeParsers();
    registerForms(scope);
    (scope as typeof app).route({
      method: 'POST',
      url: '/datasets',
      config: { scope: 'train', idempotent: true, upload: true },
      bodyLimit: maxDatasetBytes,
      schema: {
        operationId: 'uploadDataset',
        summary: 'Upload a data set',
        description:
          'Labelled images for training and testing: a zip or tar.gz of images of any size in class folders, or arrays ' +
          'as one npz or as npy, IDX or IDX.gz files. All images of a data set have one shape, 8 to 64 pixels a side, grey or in colour: `imageShape`. ' +
          'Images in folders get it by `fit`, `background` and `invert`; ' +
          'models trained on them repeat this at prediction. Uploads are validated; ' +
          '`report.warnings` lists images that are not read, duplicates, unbalanced classes and rounded pixels. The id is derived from the content: the same ' +
          'images, labels, class names and preprocessing, in any format and from any client, are the same data set and return 200. At most ' +
          '`MAX_DATASET_BYTES`, 1 GiB by default, both compressed and decompressed. `dryRun=true` answers what an upload would, with sample images, and stores nothing.',
        tags,
        requestContent: datasetUploadContent,
        response: {
          200: checkedDatasetSchema.describe(
            'The data set already exists; its name is unchanged. Or a dry run, whose data set is not stored',
          ),
          201: datasetSchema.describe('The data set, validated and stored'),
          ...problems(400, 409, 413, 415, 422, 503, 507),
        },
        responseHeaders: { 200: ['Location'], 201: ['Location'] },
      },
      async handler(request, reply) {
        if (!isForm(request)) {
          throw new AtelierError('unsupported-media-type', 'Send the data set as multipart/form-data.');
        }
        const signal = disconnectSignal(reply);
        return withStoredForm(request, DATASET_FORM, maxDatasetBytes, uploads, async ({ fields, files }) => {
          if (fields.dryRun === 'true') return reply.send(await uploads.dryRun(files, fields, signal));
          const create: Create<AddedDataset> = (record) => uploads.add(files, fields, signal, record);
          const content = {
            fields,
            files: files.map(({ part, digest }) => `${part} ${digest}`).sort(),
          };
          return respondIdempotently(idempotency, request, reply, create, toUploaded, content);
        });
      },
    });
  });
};

const toUploaded = ({ dataset, isNew }: AddedDataset) => ({
  status: isNew ? 201 : 200,
  location: `/v1/datasets/${dataset.id}`,
  body: dataset,
});

const describeState = (dataset: DatasetSummary): CurrentState => ({
  tag: stateTag(dataset),
  description: `the data set ${dataset.id} has been deleted and uploaded again`,
});
