/** Routes of MLflow's scoring server: /ping, /health, /version, /invocations. */
import { z } from 'zod';
import packageJson from '../../../../package.json' with { type: 'json' };
import { modelReferenceSchema, parseModelReference } from '../../../domain/models/reference.ts';
import { imageQuery } from '../../../domain/predictions/image-query.ts';
import { AtelierError } from '../../../errors.ts';
import type { InvocationBody } from '../../../protocols/mlflow/codec.ts';
import { invocationResponseSchema, invocationSchema } from '../../../protocols/mlflow/schema.ts';
import { parseMediaType, requireBody } from '../../bodies/raw.ts';
import { MLFLOW_ERRORS, protocolErrors } from '../../errors/protocol-errors.ts';
import { BLACK_PIXELS, jsonContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { MODEL_HEADERS, sendModelHeaders } from '../../responses/model-headers.ts';
import type { Routes } from '../context.ts';
import { createDefaultModel } from './default-model.ts';

const tags = ['mlflow'];
const text = (description: string) => ({ description, content: { 'text/plain': { schema: z.string() } } });
const requestContent = {
  'application/json': jsonContent(invocationSchema, {
    instances: [BLACK_PIXELS],
    params: { output: 'label' },
  }),
  'text/csv': {
    schema: {
      type: 'string',
      description:
        'A column for each number of an image, one image per row. A header row is detected, or declared by `text/csv; header=present` or `absent`',
      examples: [`${BLACK_PIXELS.join()}\n`],
    },
  },
};

export const mlflowRoutes: Routes = async (app, { models, predictions, health, maxBodyBytes }) => {
  const findDefaultModel = createDefaultModel(models);
  for (const [url, operationId] of [
    ['/ping', 'mlflowPing'],
    ['/health', 'mlflowHealth'],
  ]) {
    app.route({
      method: 'GET',
      url: url!,
      config: { scope: 'open', errorFormat: MLFLOW_ERRORS },
      logLevel: 'warn',
      schema: {
        operationId: operationId!,
        summary: 'Readiness of the service',
        description:
          '200 with an empty line if requests can be served, otherwise 503 with the checks that failed. Needs no key and is not rate-limited.',
        tags,
        response: { 200: text('An empty line'), ...protocolErrors(MLFLOW_ERRORS, 503) },
      },
      async handler(_request, reply) {
        const { ready, checks } = await health.check();
        if (ready) return reply.type('text/plain').send('\n');
        const failed = Object.entries(checks).flatMap(([name, passed]) => (passed ? [] : [name]));
        const detail = `The service is not ready. Failed checks: ${failed.join(', ')}; see /health/ready.`;
        throw new AtelierError('draining', detail);
      },
    });
  }

  app.route({
    method: 'GET',
    url: '/version',
    config: { scope: 'predict', errorFormat: MLFLOW_ERRORS },
    schema: {
      operationId: 'mlflowVersion',
      summary: 'Version of this service',
      description: 'The version of Atelier as text, where a server of MLflow returns the version of MLflow.',
      tags,
      response: { 200: text('The version') },
    },
    handler: async (_request, reply) => reply.type('text/plain').send(packageJson.version),
  });

  app.route({
    method: 'POST',
    url: '/invocations',
    bodyLimit: maxBodyBytes,
    config: {
      scope: 'predict',
      errorFormat: MLFLOW_ERRORS,
      sheddable: 'large-body',
      mediaTypes: Object.keys(requestContent),
      mediaTypeParameters: { 'application/json': [], 'text/csv': ['header'] },
      inflates: true,
    },
    schema: {
      operationId: 'mlflowInvocations',
      summary: 'Predict with one model',
      description:
        'One of `inputs`, `instances`, `dataframe_split` and `dataframe_records`, or CSV. Numbers are 0–1 if none ' +
        'is greater than 1, otherwise 0–255; a maximum slightly above 1 is rejected. `params.output` selects the label instead of the probabilities. gzip and deflate are supported.',
      tags,
      querystring: z.strictObject({
        model: modelReferenceSchema.options[0]
          .optional()
          .describe('`name`, `name@version` or `name@alias`. Default: the only model, or `fashion-mnist`'),
        fit: imageQuery.fit,
      }),
      requestContent,
      response: { 200: invocationResponseSchema, ...protocolErrors(MLFLOW_ERRORS, 400, 404, 413, 415) },
      responseHeaders: { 200: MODEL_HEADERS },
    },
    async handler(request, reply) {
      const { model = await findDefaultModel(), fit } = request.query;
      const { name, version } = parseModelReference(model);
      const invocation = parseInvocation(request.headers['content-type']!, requireBody(request.body));
      const { body, model: predictedBy } = await predictions.respond(
        { name, ...(version !== undefined && { version }) },
        { protocol: 'mlflow', ...invocation, fit },
        () => disconnectSignal(reply),
      );
      sendModelHeaders(reply, predictedBy);
      return reply.type('application/json').send(body);
    },
  });
};

function parseInvocation(contentType: string, bytes: Buffer): InvocationBody {
  if (parseMediaType(contentType) === 'application/json') return { type: 'json', bytes };
  const header = /;\s*header\s*=\s*"?(present|absent)"?\s*(?:;|$)/i.exec(contentType)?.[1]?.toLowerCase();
  return { type: 'csv', bytes, header: header as 'present' | 'absent' | undefined };
}
