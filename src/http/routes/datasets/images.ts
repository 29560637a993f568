/** /v1/datasets/{id}/splits/{split}: images, one or a range of them, and the labels of a data set. */

import { z } from 'zod';
import { SPLITS } from '../../../domain/datasets/representation.ts';
import { imageRowsSchema, toImageRows } from '../../../domain/image-shape.ts';
import { wholeNumber } from '../../../domain/primitives.ts';
import { AtelierError } from '../../../errors.ts';
import { npyBytes } from '../../../formats/arrays/npy.ts';
import { toPng } from '../../../images/encoded.ts';
import { labelBytes, toLabels } from '../../../numerics/examples/labels.ts';
import { valueCount } from '../../../numerics/network/image-shape.ts';
import { selectSplit } from '../../../services/datasets/find.ts';
import { cacheControl } from '../../conditional/cache-control.ts';
import { contentTag } from '../../conditional/etag.ts';
import { rangeHeaders, sendRanged } from '../../conditional/ranges.ts';
import { problems } from '../../errors/problem.ts';
import { binaryContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { negotiate } from '../../responses/negotiate.ts';
import type { Routes } from '../context.ts';
import { datasetId, orNotFound } from './collection.ts';

const tags = ['datasets'];
const splitParams = { id: datasetId, split: z.enum(SPLITS) };
const PLACE = { parameter: 'split' };
/** As many as a request to predict can hold by default. */
const MAX_IMAGES = 10_000;
const imageIndex = wholeNumber(0).describe('Index of the image within the split');

const labelledImageSchema = z
  .object({
    label: z.int(),
    className: z.string(),
    image: imageRowsSchema(z.int().min(0).max(255)),
  })
  .meta({ id: 'LabelledImage' });

export const datasetImageRoutes: Routes = async (app, { catalog }) => {
  app.route({
    method: 'GET',
    url: '/datasets/:id/splits/:split/labels',
    config: { scope: 'predict' },
    schema: {
      operationId: 'getDatasetLabels',
      summary: 'Get the labels of a split, in the order of its images',
      description:
        'The index of the class of each image: npy of shape (examples,), or raw bytes by `Accept`.',
      tags,
      readsDataset: true,
      params: z.strictObject(splitParams),
      response: {
        200: {
          description: 'One byte per image; two, little-endian, with more than 256 classes',
          content: { 'application/x-npy': binaryContent, 'application/octet-stream': binaryContent },
        },
        ...problems(400, 404, 406, 422),
      },
      responseHeaders: { 200: ['Cache-Control'] },
    },
    async handler(request, reply) {
      const { id, split } = request.params;
      const dataset = orNotFound(await catalog.get(id), id, catalog);
      const type = negotiate(request, reply, ['application/x-npy', 'application/octet-stream']);
      // A copy, as for an image below.
      const labels = toLabels(dataset.classNames.length, selectSplit(id, dataset, split, PLACE).labels);
      const bytes = type === 'application/x-npy' ? npyBytes(labels, [labels.length]) : labelBytes(labels);
      // The id of a data set is derived from its content.
      return reply.type(type).header('cache-control', cacheControl(true)).send(Buffer.from(bytes));
    },
  });

  app.route({
    method: 'GET',
    url: '/datasets/:id/splits/:split/images',
    config: { scope: 'predict' },
    schema: {
      operationId: 'getDatasetImages',
      summary: 'Get the images of a split, from an index on',
      description:
        'The images `offset` to `offset` + `limit` − 1, fewer at the end of the split and none after it: npy of shape ' +
        '(images, height, width), in colour (images, height, width, 3), or raw bytes by `Accept`. Their labels are the same slice of the labels of the split.',
      tags,
      readsDataset: true,
      params: z.strictObject(splitParams),
      querystring: z.strictObject({
        offset: wholeNumber(0).prefault(0).describe('Index of the first image'),
        limit: wholeNumber(1, MAX_IMAGES).prefault(100).describe('Largest number of images'),
      }),
      headers: rangeHeaders,
      response: {
        200: {
          description: 'One byte per pixel, in colour three, row by row',
          content: { 'application/x-npy': binaryContent, 'application/octet-stream': binaryContent },
        },
        206: {
          description: 'The bytes that Range selects',
          content: { 'application/x-npy': binaryContent, 'application/octet-stream': binaryContent },
        },
        ...problems(400, 404, 406, 412, 416, 422),
      },
      responseHeaders: {
        200: ['Accept-Ranges', 'Cache-Control'],
        206: ['Content-Range', 'Cache-Control', 'ETag'],
        416: ['Content-Range'],
      },
    },
    async handler(request, reply) {
      const { id, split } = request.params;
      const { offset, limit } = request.query;
      const { digest, imageShape } = orNotFound(await catalog.find(id), id, catalog);
      const values = valueCount(imageShape);
      const type = negotiate(request, reply, ['application/x-npy', 'application/octet-stream']);
      reply.type(type).header('cache-control', cacheControl(true));
      const tag = contentTag([digest, split, offset, limit, type].join());
      return sendRanged(request, reply, tag, async () => {
        const { pixels } = selectSplit(id, orNotFound(await catalog.get(id), id, catalog), split, PLACE);
        // A copy, as for an image below.
        const images = new Uint8Array(pixels.subarray(offset * values, (offset + limit) * values));
        const shape = [images.length / values, ...imageShape];
        const bytes = Buffer.from(type === 'application/x-npy' ? npyBytes(images, shape) : images);
        return { size: bytes.length, read: ({ start, end }) => bytes.subarray(start, end + 1) };
      });
    },
  });

  app.route({
    method: 'GET',
    url: '/datasets/:id/splits/:split/images/:index',
    config: { scope: 'predict' },
    schema: {
      operationId: 'getDatasetImage',
      summary: 'Get one image of a data set',
      description: 'PNG by default. `Accept` selects npy of the shape of the images, raw bytes, or JSON.',
      tags,
      readsDataset: true,
      params: z.strictObject({ ...splitParams, index: imageIndex }),
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
        ...problems(400, 404, 406, 412, 416, 422),
      },
      responseHeaders: {
        200: ['Accept-Ranges', 'Cache-Control'],
        206: ['Content-Range', 'Cache-Control', 'ETag'],
        416: ['Content-Range'],
      },
    },
    async handler(request, reply) {
      const { id, split, index } = request.params;
      const dataset = orNotFound(await catalog.get(id), id, catalog);
      const { imageShape } = dataset;
      const { pixels, labels } = selectSplit(id, dataset, split, PLACE);
      const values = valueCount(imageShape);
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
      const image = new Uint8Array(pixels.subarray(index * values, (index + 1) * values));
      const className = dataset.classNames[label]!;
      reply.headers({
        'x-label': label,
        'x-class-name': encodeURI(className.toWellFormed()).replaceAll('%20', ' '),
      });
      // The id of a data set is derived from its content.
      reply.type(type).header('cache-control', cacheControl(true));
      const send = (bytes: Buffer) =>
        sendRanged(request, reply, contentTag(bytes), () => ({
          size: bytes.length,
          read: ({ start, end }) => bytes.subarray(start, end + 1),
        }));
      switch (type) {
        case 'image/png':
          return send(await toPng(image, imageShape, disconnectSignal(reply)));
        case 'application/x-npy':
          return send(Buffer.from(npyBytes(image, imageShape)));
        case 'application/octet-stream':
          return send(Buffer.from(image.buffer));
        case 'application/json':
          return reply.send({ label, className, image: toImageRows(image, imageShape) });
      }
    },
  });
};
