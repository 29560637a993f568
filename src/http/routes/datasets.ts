/** /v1/datasets */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Catalog, listDatasetIds } from '../../datasets/catalog.ts';
import { toPng } from '../../datasets/encoded-image.ts';
import { datasetSchema, IMAGE_PIXELS, IMAGE_SIDE, SPLITS } from '../../domain/dataset.ts';
import { wholeNumber } from '../../domain/primitives.ts';
import { AtelierError } from '../../errors.ts';
import { npyBytes } from '../../formats/npy.ts';
import { binaryContent } from '../bodies/binary-content.ts';
import { problems } from '../errors/problem.ts';
import { registerEtag } from '../plugins/etag.ts';
import { negotiate } from '../responses/negotiate.ts';
import { listSchema, noQuery, paginationQuery, toList } from '../validation/pagination.ts';

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
  (catalog: Catalog): FastifyPluginAsyncZod =>
  async (app) => {
    await registerEtag(app);

    function orNotFound<T>(dataset: T | undefined, datasetId: string): T {
      if (dataset !== undefined) return dataset;
      const message = `There is no data set ${datasetId}; there are: ${listDatasetIds(catalog)}.`;
      throw new AtelierError('dataset-not-found', message);
    }

    app.route({
      method: 'GET',
      url: '/datasets',
      config: { scope: 'predict' },
      schema: {
        operationId: 'listDatasets',
        summary: 'List the data sets, newest first',
        tags,
        querystring: z.strictObject(paginationQuery),
        response: { 200: listSchema(datasetSchema).meta({ id: 'DatasetList' }), ...problems(400) },
      },
      handler: async ({ query: { limit, after } }) => {
        const all = catalog.list();
        const start = after === undefined ? 0 : all.findIndex((dataset) => dataset.id === after) + 1;
        if (after !== undefined && start === 0) {
          const detail = 'must be the id of a data set, `lastId` of the page before';
          throw new AtelierError(
            'invalid-request',
            `The list cannot go on after "${after}": after ${detail}.`,
            {
              details: [{ parameter: 'after', detail }],
            },
          );
        }
        const data = all.slice(start, start + limit);
        return toList({ data, hasMore: start + limit < all.length }, (dataset) => dataset.id);
      },
    });

    app.route({
      method: 'GET',
      url: '/datasets/:id',
      config: { scope: 'predict' },
      schema: {
        operationId: 'getDataset',
        summary: 'Show a data set',
        tags,
        params: z.strictObject({ id }),
        querystring: noQuery,
        response: { 200: datasetSchema, ...problems(400, 404) },
      },
      handler: async ({ params }) => orNotFound(catalog.summary(params.id), params.id),
    });

    app.route({
      method: 'GET',
      url: '/datasets/:id/splits/:split/images/:index',
      config: { scope: 'predict' },
      schema: {
        operationId: 'getDatasetImage',
        summary: 'Get one picture, to look at or to predict',
        description: 'PNG by default; npy of shape (28, 28), 784 raw bytes, or JSON by Accept.',
        tags,
        params: z.strictObject({ id, split: z.enum(SPLITS), index: imageIndex }),
        querystring: noQuery,
        response: {
          200: {
            description: 'The picture; its label and class are in the headers X-Label and X-Class-Name',
            content: {
              'image/png': binaryContent,
              'application/x-npy': binaryContent,
              'application/octet-stream': binaryContent,
              'application/json': { schema: labelledImageSchema },
            },
          },
          ...problems(400, 404, 406),
        },
      },
      async handler(request, reply) {
        const { id: datasetId, split, index } = request.params;
        const dataset = orNotFound(await catalog.get(datasetId), datasetId);
        const { pixels, labels } = dataset[split];
        const label = labels[index];
        if (label === undefined) {
          const range = `0 to ${labels.length - 1}`;
          throw new AtelierError(
            'image-not-found',
            `There is no ${split} image ${index}; there are ${range}.`,
          );
        }
        const type = negotiate(request, reply, [
          'image/png',
          'application/x-npy',
          'application/octet-stream',
          'application/json',
        ]);
        // A copy, not a view: Buffers over shared memory are not what the libraries below expect.
        const image = new Uint8Array(pixels.subarray(index * IMAGE_PIXELS, (index + 1) * IMAGE_PIXELS));
        const className = dataset.classNames[label]!;
        reply.headers({ 'x-label': label, 'x-class-name': encodeURI(className).replaceAll('%20', ' ') });
        switch (type) {
          case 'image/png':
            return reply.type(type).send(await toPng(image));
          case 'application/x-npy':
            return reply.type(type).send(Buffer.from(npyBytes(image, [IMAGE_SIDE, IMAGE_SIDE])));
          case 'application/octet-stream':
            return reply.type(type).send(Buffer.from(image.buffer));
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
