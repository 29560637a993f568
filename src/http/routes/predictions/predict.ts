/** Predictions by a model, a version, or a checkpoint of a training job. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { VersionName } from '../../../domain/models/reference.ts';
import { wholeNumber } from '../../../domain/primitives.ts';
import {
  type PredictionQuery,
  predictionQuerySchema,
  predictionsSchema,
} from '../../../protocols/native/schema.ts';
import { PredictionStream } from '../../../services/predictions/streamed-images.ts';
import { release } from '../../../workers/threads/transfer.ts';
import { createOpenStream } from '../../bodies/image-stream.ts';
import { readImages } from '../../bodies/images.ts';
import { createByteReader } from '../../bodies/read-bytes.ts';
import { JSON_TYPE } from '../../conditional/prepared.ts';
import { problems } from '../../errors/problem.ts';
import { onceClosed } from '../../hooks/connections/client.ts';
import { binaryContent, imageContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { MODEL_HEADERS, sendModelHeaders } from '../../responses/model-headers.ts';
import { negotiate } from '../../responses/negotiate.ts';
import type { Routes } from '../context.ts';
import { modelName, versionName } from '../models/collection.ts';

const shared = {
  description:
    'One or more images, in any of the content types. JSON by default; `Accept: application/x-npy` returns the ' +
    '(n, classes) float32 matrix of probabilities, and with `coverage` the (n, classes + 1) uint8 matrix of the sets, whose last ' +
    'column is 0 for a sure prediction, 1 for `unlike-training-images`, 2 for `no-class` and 3 for `several-classes`. A body of at most `MAX_BODY_BYTES`, 64 MiB by default; at most eight ' +
    'bodies larger than 256 KiB are processed at once.',
  tags: ['predictions'],
  querystring: predictionQuerySchema,
  readsDataset: true as const,
  requestContent: imageContent,
  response: {
    200: {
      description: 'One prediction per image, in the order of the images',
      content: {
        'application/json': { schema: predictionsSchema },
        'application/x-npy': binaryContent,
      },
    },
    ...problems(400, 404, 406, 409, 413, 415, 422, 503),
  },
  responseHeaders: { 200: MODEL_HEADERS },
};

const PATHS = [
  {
    url: '/models/:name',
    operationId: 'predict',
    by: 'the champion of a model, or its newest version',
    params: z.strictObject({ name: modelName }),
  },
  {
    url: '/models/:name/versions/:version',
    operationId: 'predictWithVersion',
    by: 'a version of a model, by number or alias',
    params: z.strictObject({ name: modelName, version: versionName }),
  },
  {
    url: '/training-jobs/:id/checkpoints/:step',
    operationId: 'predictWithCheckpoint',
    by: 'a checkpoint of a training job',
    params: z.strictObject({
      id: z.string().regex(/^job_/, 'must be the id of a job, `job_…`'),
      step: wholeNumber(1).describe('The step of the job after which the checkpoint was written'),
    }),
  },
] as const;

const STREAMED_TYPES = ['application/octet-stream', 'application/x-npy'];

/**
 * Without this, V8 would mark the whole heap every few large responses before it frees their memory. A compressed response
 * is not released: its compressor may still be reading it after the client has disconnected.
 */
function releaseSent(reply: FastifyReply, body: Uint8Array): void {
  if (!reply.hasHeader('content-encoding')) release([body]);
}

export const predictionRoutes: Routes = async (app, { predictions, maxBodyBytes }) => {
  app.removeContentTypeParser(STREAMED_TYPES);
  app.addContentTypeParser(STREAMED_TYPES, createByteReader(maxBodyBytes, createOpenStream(predictions)));

  async function predict(
    request: FastifyRequest,
    reply: FastifyReply,
    model: { name: string; version?: VersionName },
    query: PredictionQuery,
  ) {
    const jsonOnly = query.diagnose ? 'diagnose' : query.input ? 'input' : undefined;
    const type = jsonOnly
      ? negotiate(request, reply, ['application/json'], `With ?${jsonOnly}=true the response is JSON.`)
      : negotiate(request, reply, ['application/json', 'application/x-npy']);
    const format = type === 'application/json' ? 'json' : 'npy';
    const { body: sent } = request;
    const images = sent instanceof PredictionStream ? sent : await readImages(request, maxBodyBytes, query);
    const { body, model: predictedBy } = await predictions.respond(
      model,
      { protocol: 'native', images, query, format },
      () => disconnectSignal(reply),
    );
    sendModelHeaders(reply, predictedBy);
    if (typeof body !== 'string') onceClosed(reply, () => releaseSent(reply, body));
    return reply.type(format === 'json' ? JSON_TYPE : type).send(body);
  }

  for (const { url, operationId, by, params } of PATHS) {
    app.route({
      method: 'POST',
      url: `${url}/predictions`,
      config: { scope: 'predict', sheddable: 'large-body' },
      bodyLimit: maxBodyBytes,
      schema: { ...shared, operationId, summary: `Predict the labels of images with ${by}`, params },
      handler(request, reply) {
        const { params: path, query } = request;
        const model = 'id' in path ? { name: path.id, version: path.step } : path;
        return predict(request, reply, model, query);
      },
    });
  }
};
