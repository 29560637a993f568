/** Predictions in the Open Inference Protocol v2. In a scope of raw bodies. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AtelierError } from '../../../../errors.ts';
import { inferRequestSchema, inferResponseSchema } from '../../../../protocols/kserve-v2/schema.ts';
import type { PredictionService } from '../../../../services/predictions.ts';
import { binaryContent } from '../../../bodies/binary-content.ts';
import { requireBody } from '../../../bodies/raw.ts';
import { protocolErrors } from '../../../errors/protocol-errors.ts';
import { jsonContent, V2_INFER_EXAMPLE } from '../../../examples/protocols.ts';
import { disconnectSignal } from '../../../responses/client-disconnect.ts';
import { namedModel, namedVersion, readModelName } from '../named-model.ts';

/** What curl calls a body where nobody says what it is, as in the examples of many servers. */
const CURL_TYPE = 'application/x-www-form-urlencoded';
const JSON_LENGTH = 'inference-header-content-length';

const shared = {
  description:
    'Input `image`, outputs `probabilities` and `label`. With `Inference-Header-Content-Length` binary tensors follow ' +
    'the JSON of so many bytes; with 0 the body is n × 784 FP32 and nothing else. gzip and deflate are taken.',
  tags: ['inference-v2'],
  headers: z.looseObject({
    [JSON_LENGTH]: z.string().optional().describe('Bytes of the JSON in front of binary tensors'),
  }),
  requestContent: {
    'application/json': jsonContent(inferRequestSchema, V2_INFER_EXAMPLE),
    'application/octet-stream': {
      schema: {
        type: 'string',
        format: 'binary',
        description: 'JSON followed by binary tensors, or one raw tensor',
      },
    },
  },
  response: {
    200: {
      description: 'The outputs in the order in which they were asked for',
      content: {
        'application/json': { schema: inferResponseSchema },
        'application/octet-stream': binaryContent,
      },
    },
    ...protocolErrors('/v2/models', 400, 404, 413, 415),
  },
};

export const v2InferRoutes =
  (predictions: PredictionService, maxBodyBytes: number): FastifyPluginAsyncZod =>
  async (app) => {
    const options = {
      method: 'POST',
      bodyLimit: maxBodyBytes,
      config: {
        scope: 'predict',
        sheddable: 'large-body',
        mediaTypes: [...Object.keys(shared.requestContent), CURL_TYPE, ''],
        inflates: true,
      },
    } as const;

    async function infer(
      request: FastifyRequest,
      reply: FastifyReply,
      path: { name: string; version?: string },
    ) {
      const body = { bytes: requireBody(request.body), jsonBytes: readJsonLength(request) };
      const answer = await predictions.respond(readModelName(path), { protocol: 'kserve-v2', ...body }, () =>
        disconnectSignal(reply),
      );
      if (answer.jsonBytes === null) return reply.type('application/json').send(answer.body);
      reply.header('Inference-Header-Content-Length', answer.jsonBytes);
      return reply.type('application/octet-stream').send(answer.body);
    }

    app.route({
      ...options,
      url: '/v2/models/:name/infer',
      schema: {
        ...shared,
        operationId: 'v2Infer',
        summary: 'Predict with the champion of a model, else its newest version',
        params: namedModel,
      },
      handler: (request, reply) => infer(request, reply, request.params),
    });

    app.route({
      ...options,
      url: '/v2/models/:name/versions/:version/infer',
      schema: {
        ...shared,
        operationId: 'v2InferWithVersion',
        summary: 'Predict with a version of a model, by number or alias',
        params: namedVersion,
      },
      handler: (request, reply) => infer(request, reply, request.params),
    });
  };

function readJsonLength({ headers }: FastifyRequest): number | null {
  const header = headers[JSON_LENGTH];
  if (header === undefined) return null;
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw new AtelierError(
    'invalid-request',
    `Inference-Header-Content-Length is ${JSON.stringify(header).slice(0, 80)}; it is the number of bytes of the JSON, from 0.`,
  );
}
