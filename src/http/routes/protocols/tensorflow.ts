/** TensorFlow Serving: predictions, metadata of models, and the status of a label. */

import {
  modelMetadata,
  modelMetadataSchema,
  modelStatusSchema,
  versionStatus,
} from '../../../protocols/tensorflow/model-status.ts';
import { predictRequestSchema, predictResponseSchema } from '../../../protocols/tensorflow/schema.ts';
import { requireBody } from '../../bodies/raw.ts';
import { PROTOCOL_ERRORS, protocolErrors } from '../../errors/protocol-errors.ts';
import { BLACK_PIXELS, jsonContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { MODEL_HEADERS, sendModelHeaders } from '../../responses/model-headers.ts';
import type { Routes } from '../context.ts';
import { fitQuery, namedModel, namedVersion, readModelName } from './named-model.ts';

const tags = ['tensorflow'];
const shared = {
  description:
    'Images by row (`instances`) or by column (`inputs`): all numbers in one array, rows of numbers, or pixels with channels, last or first, of the shape in the metadata, alone or as ' +
    'the only field of an object, such as `{"image": …}`, or encoded images as `{"b64": …}`. Numbers are 0–1 if none is greater than 1, otherwise 0–255; a maximum slightly above 1 is rejected. gzip and deflate are supported.',
  tags,
  querystring: fitQuery,
  requestContent: { 'application/json': jsonContent(predictRequestSchema, { instances: [BLACK_PIXELS] }) },
  response: {
    200: predictResponseSchema,
    ...protocolErrors(PROTOCOL_ERRORS, 400, 404, 413, 415),
  },
  responseHeaders: { 200: MODEL_HEADERS },
};
/** The part of a path segment before the colon. */
const PART = '(^[^:/]+)';

const PATHS = [
  {
    path: `:name${PART}`,
    suffix: '',
    summary: 'Predict with the champion of a model, or its newest version',
    params: namedModel,
  },
  {
    path: `:name/versions/:version${PART}`,
    suffix: 'WithVersion',
    summary: 'Predict with a version of a model',
    params: namedVersion,
  },
  {
    path: `:name/labels/:version${PART}`,
    suffix: 'WithLabel',
    summary: 'Predict with an alias of a model',
    params: namedVersion,
  },
] as const;

export const tensorflowRoutes: Routes = async (app, { predictions, maxBodyBytes }) => {
  for (const { path, suffix, summary, params } of PATHS) {
    app.route({
      method: 'POST',
      url: `/v1/models/${path}::predict`,
      bodyLimit: maxBodyBytes,
      config: { scope: 'predict', errorFormat: PROTOCOL_ERRORS, sheddable: 'large-body', inflates: true },
      schema: { ...shared, operationId: `tensorflowPredict${suffix}`, summary, params },
      async handler(request, reply) {
        const { body, model } = await predictions.respond(
          readModelName(request.params),
          { protocol: 'tensorflow', bytes: requireBody(request.body), fit: request.query.fit },
          () => disconnectSignal(reply),
        );
        sendModelHeaders(reply, model);
        return reply.type('application/json').send(body);
      },
    });
  }
};

const config = { scope: 'predict', errorFormat: PROTOCOL_ERRORS } as const;
const notFound = protocolErrors(PROTOCOL_ERRORS, 404);

const METADATA = [
  { path: '', suffix: '', of: 'a model', params: namedModel },
  { path: '/versions/:version', suffix: 'OfVersion', of: 'a version of a model', params: namedVersion },
  { path: '/labels/:version', suffix: 'OfLabel', of: 'the version of an alias', params: namedVersion },
] as const;

export const tensorflowModelRoutes: Routes = async (app, { models }) => {
  for (const { path, suffix, of, params } of METADATA) {
    app.route({
      method: 'GET',
      url: `/v1/models/:name${path}/metadata`,
      config,
      schema: {
        operationId: `tensorflowMetadata${suffix}`,
        summary: `Inputs and outputs of ${of}`,
        description:
          'The signature `serving_default`, in the JSON of TensorFlow Serving: sizes are strings, −1 is the number of images.',
        tags,
        params,
        response: { 200: modelMetadataSchema, ...notFound },
      },
      async handler(request) {
        const { name, version } = readModelName(request.params);
        return modelMetadata(await models.version(name, version));
      },
    });
  }

  app.route({
    method: 'GET',
    url: '/v1/models/:name/labels/:version',
    config,
    schema: {
      operationId: 'tensorflowStatusOfLabel',
      summary: 'Status of the version of an alias',
      description: 'AVAILABLE if the alias exists, otherwise 404: every stored version can predict.',
      tags,
      params: namedVersion,
      response: { 200: modelStatusSchema, ...notFound },
    },
    async handler(request) {
      const { name, version } = readModelName(request.params);
      return versionStatus((await models.version(name, version)).version);
    },
  });
};
