/** TensorFlow Serving's predict API. In a scope of raw bodies: its clients call them JSON or anything. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { predictRequestSchema, predictResponseSchema } from '../../../protocols/tensorflow/schema.ts';
import type { PredictionService } from '../../../services/predictions.ts';
import { requireBody } from '../../bodies/raw.ts';
import { protocolErrors } from '../../errors/protocol-errors.ts';
import { jsonContent, TENSORFLOW_EXAMPLE } from '../../examples/protocols.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { namedModel, namedVersion, readModelName } from './named-model.ts';

const shared = {
  description:
    'Images by row (`instances`) or by column (`inputs`): 784 numbers, 28 rows of 28 or 28×28×1, alone or as ' +
    '`{"image": …}`, or pictures as `{"b64": …}`. Numbers of which none is greater than 1 are 0–1, others 0–255; a greatest just above 1 is refused.',
  tags: ['tensorflow'],
  requestContent: { 'application/json': jsonContent(predictRequestSchema, TENSORFLOW_EXAMPLE) },
  response: {
    200: predictResponseSchema,
    ...protocolErrors('/v1/models/{name}:predict', 400, 404, 413, 415),
  },
};
/** What is in front of a colon. */
const PART = '(^[^:/]+)';

export const tensorflowRoutes =
  (predictions: PredictionService, maxBodyBytes: number): FastifyPluginAsyncZod =>
  async (app) => {
    const options = {
      method: 'POST',
      bodyLimit: maxBodyBytes,
      config: { scope: 'predict', sheddable: 'large-body' },
    } as const;

    async function predict(
      request: FastifyRequest,
      reply: FastifyReply,
      path: { name: string; version?: string },
    ) {
      const bytes = requireBody(request.body);
      const { body } = await predictions.respond(readModelName(path), { protocol: 'tensorflow', bytes }, () =>
        disconnectSignal(reply),
      );
      return reply.type('application/json').send(body);
    }

    app.route({
      ...options,
      url: `/v1/models/:name${PART}::predict`,
      schema: {
        ...shared,
        operationId: 'tensorflowPredict',
        summary: 'Predict with the champion of a model, else its newest version',
        params: namedModel,
      },
      handler: (request, reply) => predict(request, reply, request.params),
    });

    for (const [kind, operationId] of [
      ['versions', 'tensorflowPredictWithVersion'],
      ['labels', 'tensorflowPredictWithLabel'],
    ]) {
      app.route({
        ...options,
        url: `/v1/models/:name/${kind}/:version${PART}::predict`,
        schema: {
          ...shared,
          operationId: operationId!,
          summary:
            kind === 'versions' ? 'Predict with a version of a model' : 'Predict with the alias of a model',
          params: namedVersion,
        },
        handler: (request, reply) => predict(request, reply, request.params),
      });
    }
  };
