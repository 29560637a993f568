/** TensorFlow Serving: metadata of models, and the status of a label. The native routes have all other statuses. */
import {
  modelMetadata,
  modelMetadataSchema,
  modelStatusSchema,
  versionStatus,
} from '../../../protocols/tensorflow/model-status.ts';
import { PROTOCOL_ERRORS, protocolErrors } from '../../errors/protocol-errors.ts';
import type { Routes } from '../context.ts';
import { namedModel, namedVersion, readModelName } from './named-model.ts';

const tags = ['tensorflow'];
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
