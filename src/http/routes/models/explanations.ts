/** /v1/models/{name}/versions/{version}: explain a prediction, draw the weights of a layer. */
import { z } from 'zod';
import { weightsQuerySchema } from '../../../domain/models/weights.ts';
import {
  describeExplanation,
  explanationQuerySchema,
  explanationSchema,
} from '../../../domain/predictions/explanation.ts';
import { rasterToPng } from '../../../images/encoded.ts';
import { readImages } from '../../bodies/images.ts';
import { cacheControl } from '../../conditional/cache-control.ts';
import { problems } from '../../errors/problem.ts';
import { binaryContent, imageContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { MODEL_HEADERS, sendModelHeaders } from '../../responses/model-headers.ts';
import { negotiate } from '../../responses/negotiate.ts';
import type { Routes } from '../context.ts';
import { modelName, versionName } from './collection.ts';

export const explanationRoutes: Routes = async (app, { interpretability, maxBodyBytes }) => {
  app.route({
    method: 'POST',
    url: '/models/:name/versions/:version/explanations',
    config: { scope: 'predict' },
    bodyLimit: maxBodyBytes,
    schema: {
      operationId: 'explainPrediction',
      summary: 'Explain a prediction',
      description:
        'One image, in any body that a prediction accepts. Two maps with a number for each pixel: how much the probability of the class drops when ' +
        'a part is covered, and the gradient of its logarithm with respect to each pixel. Numbers by default; ' +
        '`Accept: image/png` returns the image and both maps side by side, each with its own scale.',
      tags: ['predictions'],
      params: z.strictObject({ name: modelName, version: versionName }),
      querystring: explanationQuerySchema,
      readsDataset: true,
      requestContent: imageContent,
      response: {
        200: {
          description: 'The maps of one class',
          content: { 'application/json': { schema: explanationSchema }, 'image/png': binaryContent },
        },
        ...problems(400, 404, 406, 413, 415, 422, 503),
      },
      responseHeaders: { 200: MODEL_HEADERS },
    },
    async handler(request, reply) {
      const { params, query } = request;
      const type = query.diagnose
        ? negotiate(request, reply, ['application/json'], 'With ?diagnose=true the response is JSON.')
        : negotiate(request, reply, ['application/json', 'image/png']);
      const signal = disconnectSignal(reply);
      const images = await readImages(request, maxBodyBytes, query);
      const result = await interpretability.explain(params, images, query, signal);
      sendModelHeaders(reply, result.model);
      if (type === 'image/png') {
        return reply.type(type).send(await rasterToPng(result.drawing, signal));
      }
      const { model, classNames, explained, diagnosis } = result;
      return reply.send(describeExplanation(model, classNames, explained, diagnosis));
    },
  });
};

export const weightsRoutes: Routes = async (app, { interpretability }) => {
  app.route({
    method: 'GET',
    url: '/models/:name/versions/:version/weights',
    config: { scope: 'predict' },
    schema: {
      operationId: 'drawModelWeights',
      summary: 'Draw the weights of a layer',
      description:
        'PNG. The first layer is drawn as one tile of the shape of the images per unit, or of 3×3 weights per channel if it is a convolution; ' +
        'later layers as a map of units or channels (rows) × inputs (columns). ' +
        'One colour scale for the whole layer, symmetric around zero: red is positive, blue negative, white zero.',
      tags: ['models'],
      params: z.strictObject({ name: modelName, version: versionName }),
      querystring: weightsQuerySchema,
      response: {
        200: { description: 'The drawing', content: { 'image/png': binaryContent } },
        ...problems(400, 404, 406, 422, 503),
      },
    },
    async handler(request, reply) {
      const type = negotiate(request, reply, ['image/png']);
      const { params, query } = request;
      const drawn = await interpretability.drawWeights(params, query, disconnectSignal(reply));
      // Version numbers are never reused; aliases move.
      reply.header('cache-control', cacheControl(typeof params.version === 'number'));
      return reply.type(type).send(drawn);
    },
  });
};
