/** /v1/models/{name}/versions/{version}/weights: draw a layer. */
import { z } from 'zod';
import { weightsQuerySchema } from '../../../domain/models/weights.ts';
import { cacheControl } from '../../conditional/cache-control.ts';
import { problems } from '../../errors/problem.ts';
import { binaryContent } from '../../openapi/request-content.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { negotiate } from '../../responses/negotiate.ts';
import type { Routes } from '../context.ts';
import { modelName, versionName } from './collection.ts';

export const weightsRoutes: Routes = async (app, { interpretability }) => {
  app.route({
    method: 'GET',
    url: '/models/:name/versions/:version/weights',
    config: { scope: 'predict' },
    schema: {
      operationId: 'drawModelWeights',
      summary: 'Draw the weights of a layer',
      description:
        'PNG. The first layer is drawn as one 28×28 tile per unit, later layers as a map of units (rows) × inputs (columns). ' +
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
