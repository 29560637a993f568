/** KServe v2: predictions. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AtelierError } from '../../../../errors.ts';
import { inferRequestSchema, inferResponseSchema } from '../../../../protocols/kserve-v2/schema.ts';
import { CURL_TYPE, requireBody } from '../../../bodies/raw.ts';
import { PROTOCOL_ERRORS, protocolErrors } from '../../../errors/protocol-errors.ts';
import { BLACK_PIXELS, binaryContent, jsonContent } from '../../../openapi/request-content.ts';
import { disconnectSignal } from '../../../responses/client-disconnect.ts';
import { MODEL_HEADERS, sendModelHeaders } from '../../../responses/model-headers.ts';
import type { Routes } from '../../context.ts';
import { namedModel, namedVersion } from '../named-model.ts';
import { readServedModel } from './served-model.ts';

const JSON_LENGTH = 'inference-header-content-length';

const shared = {
  description:
    'Input `image`, outputs `probabilities` and `label`. `Inference-Header-Content-Length` is the length of the JSON before ' +
    'binary tensors; with 0 the body is FP32 of the shape in the metadata only. gzip and deflate are supported.',
  tags: ['inference-v2'],
  headers: z.looseObject({
    [JSON_LENGTH]: z.string().optional().describe('Bytes of the JSON before binary tensors'),
  }),
  requestContent: {
    'application/json': jsonContent(inferRequestSchema, {
      id: '42',
      inputs: [{ name: 'image', shape: [1, BLACK_PIXELS.length], datatype: 'UINT8', data: BLACK_PIXELS }],
      outputs: [{ name: 'label' }],
    }),
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
      description: 'The outputs, in the requested order',
      content: {
        'application/json': { schema: inferResponseSchema },
        'application/octet-stream': binaryContent,
      },
    },
    ...protocolErrors(PROTOCOL_ERRORS, 400, 404, 409, 413, 415),
  },
  responseHeaders: { 200: ['Inference-Header-Content-Length', ...MODEL_HEADERS] as const },
};

const PATHS = [
  {
    path: ':name',
    suffix: '',
    summary: 'Predict with the champion of a model, or its newest version',
    params: namedModel,
  },
  {
    path: ':name/versions/:version',
    suffix: 'WithVersion',
    summary: 'Predict with a version of a model, by number or alias',
    params: namedVersion,
  },
] as const;

export const kserveInferRoutes: Routes = async (app, { predictions, maxBodyBytes }) => {
  for (const { path, suffix, summary, params } of PATHS) {
    app.route({
      method: 'POST',
      url: `/v2/models/${path}/infer`,
      bodyLimit: maxBodyBytes,
      config: {
        scope: 'predict',
        errorFormat: PROTOCOL_ERRORS,
        sheddable: 'large-body',
        // The examples of many servers send curl's default.
        mediaTypes: [...Object.keys(shared.requestContent), CURL_TYPE, ''],
        inflates: true,
      },
      schema: { ...shared, operationId: `v2Infer${suffix}`, summary, params },
      async handler(request, reply) {
        const { asImage, ...reference } = readServedModel(request.params);
        const bytes = requireBody(request.body);
        const { body, jsonBytes, model } = await predictions.respond(
          reference,
          { protocol: 'kserve-v2', bytes, jsonBytes: readJsonLength(request), asImage },
          () => disconnectSignal(reply),
        );
        sendModelHeaders(reply, model);
        if (jsonBytes === null) return reply.type('application/json').send(body);
        reply.header('Inference-Header-Content-Length', jsonBytes);
        return reply.type('application/octet-stream').send(body);
      },
    });
  }
};

function readJsonLength({ headers }: FastifyRequest): number | null {
  const header = headers[JSON_LENGTH];
  if (header === undefined) return null;
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw new AtelierError(
    'invalid-request',
    `Inference-Header-Content-Length must be the number of bytes of the JSON, from 0, but is ${JSON.stringify(header).slice(0, 80)}.`,
  );
}
