/** KServe v2: metadata, readiness and statistics of models. */
import {
  type DescribedModel,
  describeConfig,
  describeMetadata,
} from '../../../../protocols/kserve-v2/model-description.ts';
import {
  modelConfigSchema,
  modelMetadataSchema,
  modelReadinessSchema,
  statisticsSchema,
} from '../../../../protocols/kserve-v2/schema.ts';
import { PROTOCOL_ERRORS, protocolErrors } from '../../../errors/protocol-errors.ts';
import { sendRendered } from '../../../responses/plain-json.ts';
import type { Routes } from '../../context.ts';
import { namedModel, namedVersion } from '../named-model.ts';
import { readServedModel } from './served-model.ts';

const tags = ['inference-v2'];
const config = { scope: 'predict', errorFormat: PROTOCOL_ERRORS } as const;
const notFound = protocolErrors(PROTOCOL_ERRORS, 404);

/** A path without a version selects the champion, else the newest version; for statistics, all versions. */
const PATHS = [
  { path: '/v2/models/:name', params: namedModel, suffix: '' },
  { path: '/v2/models/:name/versions/:version', params: namedVersion, suffix: 'Version' },
] as const;

const SELECTION = {
  '': 'Uses the alias `champion`, or the newest version without one.',
  Version: 'The version is a number or an alias.',
} as const;

export const kserveModelRoutes: Routes = async (app, { models, statistics, maxBodyBytes }) => {
  async function findServed(params: Parameters<typeof readServedModel>[0]): Promise<DescribedModel> {
    const { name, version, asImage } = readServedModel(params);
    const { inputShape, classNames, calibration } = await models.version(name, version);
    return {
      name: params.name,
      inputShape,
      classes: classNames.length,
      asImage,
      isCalibrated: calibration !== null,
    };
  }

  for (const { path, params, suffix } of PATHS) {
    app.route({
      method: 'GET',
      url: path,
      config,
      schema: {
        operationId: `v2Model${suffix}Metadata`,
        summary: `Inputs and outputs of ${suffix ? 'a version of a model' : 'a model'}`,
        description:
          'The input `image` accepts more shapes and datatypes than the one listed: docs/reference/protocols.md has all of them. `versions` lists ' +
          'the numbers of all versions. ' +
          SELECTION[suffix],
        tags,
        params,
        response: { 200: modelMetadataSchema, ...notFound },
      },
      async handler(request) {
        const served = await findServed(request.params);
        const references = await models.references(readServedModel(request.params).name);
        return describeMetadata(
          served,
          references.map((reference) => reference.version),
        );
      },
    });

    app.route({
      method: 'GET',
      url: `${path}/config`,
      config,
      schema: {
        operationId: `v2Model${suffix}Config`,
        summary: `Configuration of ${suffix ? 'a version of a model' : 'a model'}, in Triton's format`,
        description: `The tensors of the metadata, without the batch dimension, and the largest batch. ${SELECTION[suffix]}`,
        tags,
        params,
        response: { 200: modelConfigSchema, ...notFound },
      },
      async handler(request) {
        return describeConfig(await findServed(request.params), maxBodyBytes);
      },
    });

    app.route({
      method: 'GET',
      url: `${path}/ready`,
      config,
      schema: {
        operationId: `v2Model${suffix}Ready`,
        summary: `Readiness of ${suffix ? 'a version of a model' : 'a model'}`,
        description: `Loads the model into memory if necessary, so 200 means that it can predict. ${SELECTION[suffix]}`,
        tags,
        params,
        response: { 200: modelReadinessSchema, ...notFound },
      },
      async handler(request) {
        const { name, version } = readServedModel(request.params);
        // Loads the model if it is not in memory yet: a model that cannot be read is not ready.
        await models.load(name, version);
        return { name: request.params.name, ready: true as const };
      },
    });

    app.route({
      method: 'GET',
      url: `${path}/stats`,
      config,
      schema: {
        operationId: `v2Model${suffix}Statistics`,
        summary: `Prediction statistics of ${suffix ? 'a version' : 'each version'} of a model since start`,
        description:
          'Counts and times of requests of all protocols, in nanoseconds: waiting for a thread, decoding, inference and encoding. Kept in the memory ' +
          'of this process for the 1,000 versions used last; zeros for others.',
        tags,
        params,
        response: { 200: statisticsSchema, ...notFound },
      },
      async handler(request) {
        const { name, version } = readServedModel(request.params);
        const found = await models.version(name, version);
        const references = version === undefined ? await models.references(name) : [found];
        // perf_analyzer finds its model by the name that it requested.
        const named = { name: request.params.name };
        return { model_stats: references.map((reference) => ({ ...statistics.of(reference), ...named })) };
      },
    });
  }

  app.route({
    method: 'GET',
    url: '/v2/models/stats',
    config,
    schema: {
      operationId: 'v2Statistics',
      summary: 'Prediction statistics of all models since start',
      description:
        'As the statistics of one model, for every version of every model, at most 10,000. ' +
        'For a model named `stats`, use the path with a version.',
      tags,
      response: { 200: statisticsSchema },
    },
    async handler(_request, reply) {
      const all = statistics.toJson(await models.references());
      return sendRendered(reply, `{"model_stats":${all}}`);
    },
  });
};
