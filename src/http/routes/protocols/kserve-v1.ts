/** KServe v1, the default protocol of its client: explanations. Its predict API is TensorFlow Serving's; ../page.ts has its liveness. */
import { describeExplanation } from '../../../domain/predictions/explanation.ts';
import { decodeExplainRequest } from '../../../protocols/kserve-v1/explain.ts';
import { explainRequestSchema, explainResponseSchema } from '../../../protocols/kserve-v1/schema.ts';
import { requireBody } from '../../bodies/raw.ts';
import { PROTOCOL_ERRORS, protocolErrors } from '../../errors/protocol-errors.ts';
import { BLACK_PIXELS, jsonContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { MODEL_HEADERS, sendModelHeaders } from '../../responses/model-headers.ts';
import type { Routes } from '../context.ts';
import { fitQuery, namedModel, readModelName } from './named-model.ts';

const tags = ['kserve-v1'];

export const kserveExplainRoute: Routes = async (app, { interpretability }) => {
  app.route({
    method: 'POST',
    url: '/v1/models/:name(^[^:/]+)::explain',
    config: { scope: 'predict', errorFormat: PROTOCOL_ERRORS, inflates: true },
    schema: {
      operationId: 'v1Explain',
      summary: 'Explain predictions of the champion of a model, or its newest version',
      description:
        'For the most probable class of each image, how much its probability drops when a part is covered, and the gradient of ' +
        'its logarithm with respect to each pixel. `POST /v1/models/{name}/versions/{version}/explanations` explains other ' +
        'classes and versions.',
      tags,
      params: namedModel,
      querystring: fitQuery,
      requestContent: {
        'application/json': jsonContent(explainRequestSchema, { instances: [BLACK_PIXELS] }),
      },
      response: { 200: explainResponseSchema, ...protocolErrors(PROTOCOL_ERRORS, 400, 404, 413, 415) },
      responseHeaders: { 200: MODEL_HEADERS },
    },
    async handler(request, reply) {
      const { name } = readModelName(request.params);
      const { fit } = request.query;
      const body = requireBody(request.body);
      const results = await interpretability.explainEach(
        { name },
        (image) => decodeExplainRequest(body, image, fit),
        fit,
        disconnectSignal(reply),
      );
      const explanations = results.map(({ model, classNames, explained }) =>
        describeExplanation(model, classNames, explained),
      );
      sendModelHeaders(reply, explanations[0]!.model);
      return reply.send({ explanations });
    },
  });
};
