/** POST and DELETE of /v1/datasets */
import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { datasetSchema } from '../../domain/dataset.ts';
import { AtelierError } from '../../errors.ts';
import type { IdempotencyService } from '../../services/idempotency.ts';
import type { DatasetUploadService } from '../../services/uploaded-datasets.ts';
import type { AddedDataset } from '../../store/datasets.ts';
import type { IdempotencyRecord } from '../../store/idempotency.ts';
import { FORM_LIMITS, withDatasetUpload } from '../bodies/dataset-upload.ts';
import { datasetUploadContent } from '../bodies/dataset-upload-content.ts';
import { problems } from '../errors/problem.ts';
import { respondIdempotently } from '../plugins/idempotency.ts';
import { limitLargeBodies } from '../plugins/large-bodies.ts';
import { disconnectSignal } from '../responses/client-disconnect.ts';
import { noQuery } from '../validation/pagination.ts';

const tags = ['datasets'];

export const datasetUploadRoutes =
  (
    datasets: DatasetUploadService,
    once: IdempotencyService,
    maxDatasetBytes: number,
  ): FastifyPluginAsyncZod =>
  async (app) => {
    app.route({
      method: 'DELETE',
      url: '/datasets/:id',
      config: { scope: 'admin' },
      schema: {
        operationId: 'deleteDataset',
        summary: 'Delete a data set that was uploaded',
        description:
          'Not while a training job that has not ended is to train on it. Models that were trained on it stay as they are.',
        tags,
        params: z.strictObject({ id: z.string().describe('Id of the data set') }),
        querystring: noQuery,
        response: { 204: z.undefined().describe('Deleted'), ...problems(400, 404, 409) },
      },
      async handler(request, reply) {
        await datasets.remove(request.params.id);
        return reply.code(204).send();
      },
    });

    await app.register(async (uploads) => {
      limitLargeBodies(uploads);
      uploads.removeAllContentTypeParsers();
      await uploads.register(multipart, {
        throwFileSizeLimit: true,
        limits: { ...FORM_LIMITS, fileSize: maxDatasetBytes },
      });
      (uploads as typeof app).route({
        method: 'POST',
        url: '/datasets',
        config: { scope: 'train', idempotent: true, upload: true },
        bodyLimit: maxDatasetBytes,
        schema: {
          operationId: 'uploadDataset',
          summary: 'Upload a data set of your own',
          description:
            'Images of 28×28 with labels, for training and for testing, as one npz or as files of npy, IDX or IDX.gz. They are ' +
            'checked in full, and the report comes with the answer. The id is made of the content: the same images, labels and ' +
            'class names are the same data set, whoever sends them in whatever form, and are answered with 200. At most ' +
            '`MAX_DATASET_BYTES`, 1 GiB by default, packed as well as unpacked.',
          tags,
          querystring: noQuery,
          requestContent: datasetUploadContent,
          response: {
            200: datasetSchema.describe('It was there already, under the name that it had'),
            201: datasetSchema.describe('The data set, checked and stored'),
            ...problems(400, 409, 413, 415, 422, 503, 507),
          },
        },
        async handler(request, reply) {
          if (!request.isMultipart()) {
            throw new AtelierError('unsupported-media-type', 'Send the data set as multipart/form-data.');
          }
          const signal = disconnectSignal(reply);
          return withDatasetUpload(request, datasets, maxDatasetBytes, async ({ fields, files }) => {
            request.fingerprintSource = {
              fields,
              files: files.map(({ part, digest }) => `${part} ${digest}`).sort(),
            };
            const create = (keep?: IdempotencyRecord<AddedDataset>) =>
              datasets.add(files, fields, signal, keep);
            return respondIdempotently(once, request, reply, create, ({ dataset, isNew }) => ({
              status: isNew ? 201 : 200,
              location: `/v1/datasets/${dataset.id}`,
              body: dataset,
            }));
          });
        },
      });
    });
  };
