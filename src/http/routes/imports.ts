/** POST /v1/models */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { type ModelVersion, modelVersionSchema } from '../../domain/model.ts';
import type { IdempotencyService } from '../../services/idempotency.ts';
import type { ImportService } from '../../services/imports.ts';
import type { IdempotencyRecord } from '../../store/idempotency.ts';
import { parseFields, readModelUpload } from '../bodies/model-upload.ts';
import { modelUploadContent } from '../bodies/model-upload-content.ts';
import { problems } from '../errors/problem.ts';
import { respondIdempotently } from '../plugins/idempotency.ts';
import { disconnectSignal } from '../responses/client-disconnect.ts';
import { noQuery } from '../validation/pagination.ts';

const toPublished = (version: ModelVersion) => ({
  status: 201,
  location: `/v1/models/${version.name}/versions/${version.version}`,
  body: version,
});

/** Within the scope of what takes large bodies. */
export const importRoutes =
  (imports: ImportService, once: IdempotencyService, maxBodyBytes: number): FastifyPluginAsyncZod =>
  async (app) => {
    app.route({
      method: 'POST',
      url: '/models',
      config: { scope: 'train', idempotent: true },
      bodyLimit: maxBodyBytes,
      schema: {
        operationId: 'importModel',
        summary: 'Bring a model along: publish a file as the next version of a name',
        description:
          'An export of this service, a scikit-learn `MLPClassifier` (`coefs_0`, `intercepts_0`, …) or a PyTorch `state_dict` ' +
          '(`0.weight`, `0.bias`, …) in .npz or safetensors, or a packed vector in .npy; docs/reference/model-files.md says more. ' +
          'What neither the file nor the form says is assumed, and listed in `lineage.import.assumed`: the activation is ' +
          'relu, pixels are divided by 255 and not standardised, class names are those of the data set. Its accuracy is ' +
          'measured on the test images of `dataset`: Fashion-MNIST where none is named, if the classes fit. A body of at ' +
          'most `MAX_BODY_BYTES`, 64 MiB by default.',
        tags: ['models'],
        querystring: noQuery,
        requestContent: modelUploadContent,
        response: {
          201: modelVersionSchema.describe('The version'),
          ...problems(400, 409, 413, 415, 422, 503, 507),
        },
      },
      async handler(request, reply) {
        const { fields, bytes, digest } = await readModelUpload(request);
        const requested = parseFields(fields);
        request.fingerprintSource = { ...fields, file: digest };
        const create = (keep?: IdempotencyRecord<ModelVersion>) =>
          imports.import({ bytes, digest }, requested, disconnectSignal(reply), keep);
        return respondIdempotently(once, request, reply, create, toPublished);
      },
    });
  };
