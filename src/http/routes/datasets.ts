/** /v1/datasets: list, show, get an image, upload, delete. */

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Catalog, listDatasetIds } from '../../datasets/catalog.ts';
import { toPng } from '../../datasets/encoded-image.ts';
import {
  type DatasetSummary,
  datasetSchema,
  IMAGE_PIXELS,
  IMAGE_SIDE,
  SPLITS,
} from '../../domain/dataset.ts';
import type { DatasetFields } from '../../domain/dataset-upload.ts';
import { wholeNumber } from '../../domain/primitives.ts';
import { AtelierError } from '../../errors.ts';
import { npyBytes } from '../../formats/npy.ts';
import type { IdempotencyService } from '../../services/idempotency.ts';
import type { TestSetService } from '../../services/test-sets.ts';
import type { UploadedDatasetService } from '../../services/uploaded-datasets.ts';
import type { AddedDataset } from '../../store/datasets.ts';
import type { IdempotencyRecord } from '../../store/idempotency.ts';
import { withDatasetUpload } from '../bodies/dataset-upload.ts';
import { registerMultipart } from '../bodies/multipart.ts';
import { binaryContent, datasetUploadContent } from '../bodies/request-content.ts';
import type { OnTimeout } from '../errors/client-error.ts';
import { problems } from '../errors/problem.ts';
import type { OnLimit } from '../plugins/client.ts';
import { tagWith } from '../plugins/entity-tags.ts';
import { contentTag, registerEtag } from '../plugins/etag.ts';
import { respondIdempotently } from '../plugins/idempotency.ts';
import { limitLargeBodies } from '../plugins/large-bodies.ts';
import { type CurrentState, preconditionHeaders, toPrecondition } from '../plugins/preconditions.ts';
import { cacheControl } from '../responses/cache-control.ts';
import { disconnectSignal } from '../responses/client-disconnect.ts';
import { negotiate } from '../responses/negotiate.ts';
import { rangeHeaders, sendRanged } from '../responses/ranges.ts';
import { creationFilters } from '../validation/list-filters.ts';
import { listSchema, noQuery, PAGES, paginationQuery, toList } from '../validation/pagination.ts';

const tags = ['datasets'];
const imageIndex = wholeNumber(0).describe('Index of the image within the split');
const id = z.string().describe('Id of the data set');

const labelledImageSchema = z
  .object({
    label: z.int(),
    className: z.string(),
    image: z.array(z.array(z.int().min(0).max(255)).length(IMAGE_SIDE)).length(IMAGE_SIDE),
  })
  .meta({ id: 'LabelledImage' });

export const datasetRoutes =
  (catalog: Catalog, testSets: TestSetService): FastifyPluginAsyncZod =>
  async (app) => {
    registerEtag(app);

    function orNotFound<T>(dataset: T | undefined, datasetId: string): T {
      if (dataset !== undefined) return dataset;
      const message = `Data set ${datasetId} does not exist. Existing data sets: ${listDatasetIds(catalog)}.`;
      throw new AtelierError('dataset-not-found', message);
    }

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
        params: z.strictObject({ id }),
        querystring: noQuery,
        response: { 200: datasetSchema, ...problems(400, 404) },
      },
      async handler({ params }, reply) {
        const dataset = orNotFound(await catalog.find(params.id), params.id);
        const looks = await testSets.looksAt(dataset);
        const { train, test } = dataset.splits;
        return reply
          .header('etag', tagWith(stateTag(dataset), looks))
          .send({ ...dataset, splits: { train, test: { ...test, looks } } });
      },
    });

    app.route({
      method: 'GET',
      url: '/datasets/:id/splits/:split/images/:index',
      config: { scope: 'predict' },
      schema: {
        operationId: 'getDatasetImage',
        summary: 'Get one image of a data set',
        description: 'PNG by default. `Accept` selects npy of shape (28, 28), 784 raw bytes, or JSON.',
        tags,
        readsDataset: true,
        params: z.strictObject({ id, split: z.enum(SPLITS), index: imageIndex }),
        querystring: noQuery,
        headers: rangeHeaders,
        response: {
          200: {
            description: 'The image. The headers X-Label and X-Class-Name hold its label and class',
            content: {
              'image/png': binaryContent,
              'application/x-npy': binaryContent,
              'application/octet-stream': binaryContent,
              'application/json': { schema: labelledImageSchema },
            },
          },
          206: {
            description: 'The bytes that Range selects; JSON is always sent whole',
            content: {
              'image/png': binaryContent,
              'application/x-npy': binaryContent,
              'application/octet-stream': binaryContent,
            },
          },
          ...problems(400, 404, 406, 412, 416),
        },
        responseHeaders: {
          200: ['Accept-Ranges', 'Cache-Control'],
          206: ['Content-Range', 'Cache-Control', 'ETag'],
          416: ['Content-Range'],
        },
      },
      async handler(request, reply) {
        const { id: datasetId, split, index } = request.params;
        const dataset = orNotFound(await catalog.get(datasetId), datasetId);
        const { pixels, labels } = dataset[split];
        const label = labels[index];
        if (label === undefined) {
          throw new AtelierError(
            'image-not-found',
            `There is no ${split} image ${index}. Valid indices are 0 to ${labels.length - 1}.`,
          );
        }
        const type = negotiate(request, reply, [
          'image/png',
          'application/x-npy',
          'application/octet-stream',
          'application/json',
        ]);
        // A copy, not a view: the libraries below do not support Buffers over shared memory.
        const image = new Uint8Array(pixels.subarray(index * IMAGE_PIXELS, (index + 1) * IMAGE_PIXELS));
        const className = dataset.classNames[label]!;
        reply.headers({
          'x-label': label,
          'x-class-name': encodeURI(className.toWellFormed()).replaceAll('%20', ' '),
        });
        // The id of a data set is derived from its content.
        reply.type(type).header('cache-control', cacheControl(true));
        const send = (bytes: Buffer) =>
          sendRanged(request, reply, {
            size: bytes.length,
            tag: contentTag(bytes),
            read: ({ start, end }) => bytes.subarray(start, end + 1),
          });
        switch (type) {
          case 'image/png':
            return send(await toPng(image, () => disconnectSignal(reply)));
          case 'application/x-npy':
            return send(Buffer.from(npyBytes(image, [IMAGE_SIDE, IMAGE_SIDE])));
          case 'application/octet-stream':
            return send(Buffer.from(image.buffer));
          case 'application/json': {
            const rows = Array.from({ length: IMAGE_SIDE }, (_, y) =>
              Array.from(image.subarray(y * IMAGE_SIDE, (y + 1) * IMAGE_SIDE)),
            );
            return reply.send({ label, className, image: rows });
          }
        }
      },
    });
  };

export const datasetWriteRoutes =
  (
    uploads: UploadedDatasetService,
    idempotency: IdempotencyService,
    maxDatasetBytes: number,
    onTimeout: OnTimeout,
    onLimit: OnLimit,
  ): FastifyPluginAsyncZod =>
  async (app) => {
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
        params: z.strictObject({ id }),
        querystring: noQuery,
        headers: preconditionHeaders,
        response: { 204: z.undefined().describe('Deleted'), ...problems(400, 404, 409, 412, 507) },
      },
      async handler(request, reply) {
        await uploads.remove(request.params.id, toPrecondition(request, describeState));
        return reply.code(204).send();
      },
    });

    await app.register(async (scope) => {
      limitLargeBodies(scope, onTimeout, onLimit);
      scope.removeAllContentTypeParsers();
      await registerMultipart(scope, maxDatasetBytes);
      (scope as typeof app).route({
        method: 'POST',
        url: '/datasets',
        config: { scope: 'train', idempotent: true, upload: true },
        bodyLimit: maxDatasetBytes,
        schema: {
          operationId: 'uploadDataset',
          summary: 'Upload a data set',
          description:
            'Labelled images for training and testing: a zip or tar.gz of images of any size in class folders, or arrays of 28×28 ' +
            'as one npz or as npy, IDX or IDX.gz files. Images become 28×28 grey pixels by `fit`, `background` and `invert`, which ' +
            'models trained on them repeat at prediction. Uploads are validated; ' +
            '`report.warnings` lists duplicates, unbalanced classes and rounded pixels. The id is derived from the content: the same ' +
            'images, labels, class names and preprocessing, in any format and from any client, are the same data set and return 200. At most ' +
            '`MAX_DATASET_BYTES`, 1 GiB by default, both compressed and decompressed.',
          tags,
          querystring: noQuery,
          requestContent: datasetUploadContent,
          response: {
            200: datasetSchema.describe('The data set already exists; its name is unchanged'),
            201: datasetSchema.describe('The data set, validated and stored'),
            ...problems(400, 409, 413, 415, 422, 503, 507),
          },
          responseHeaders: { 200: ['Location'], 201: ['Location'] },
        },
        async handler(request, reply) {
          if (!request.isMultipart()) {
            throw new AtelierError('unsupported-media-type', 'Send the data set as multipart/form-data.');
          }
          const signal = disconnectSignal(reply);
          return withDatasetUpload(request, uploads, maxDatasetBytes, ({ fields, files }) => {
            const create = (record?: IdempotencyRecord<AddedDataset>) =>
              uploads.add(files, fields, signal, record);
            const content = {
              fields: fingerprintFields(fields),
              files: files.map(({ part, digest }) => `${part} ${digest}`).sort(),
            };
            return respondIdempotently(idempotency, request, reply, create, toUploaded, content);
          });
        },
      });
    });
  };

/** Preprocessing that is not given is left out, because earlier releases stored fingerprints without it. */
function fingerprintFields({ fit, background, invert, ...fields }: DatasetFields): object {
  const preprocessing = Object.entries({ fit, background, invert }).filter(([, value]) => value !== null);
  return { ...fields, ...Object.fromEntries(preprocessing) };
}

const toUploaded = ({ dataset, isNew }: AddedDataset) => ({
  status: isNew ? 201 : 200,
  location: `/v1/datasets/${dataset.id}`,
  body: dataset,
});

const stateTag = (dataset: DatasetSummary) => contentTag(JSON.stringify(dataset));

const describeState = (dataset: DatasetSummary): CurrentState => ({
  tag: stateTag(dataset),
  description: `the data set ${dataset.id} has been deleted and uploaded again`,
});
