/** /v1/models/{name}/versions/{version}/card: the model card. */
import { z } from 'zod';
import { describeEvaluation } from '../../../domain/checks/evaluation.ts';
import {
  describeLimitations,
  describeUse,
  type ModelCard,
  modelCardSchema,
} from '../../../domain/reports/model-card.ts';
import type { CardContent } from '../../../services/reports/model-cards.ts';
import { problems } from '../../errors/problem.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { negotiate } from '../../responses/negotiate.ts';
import { serviceAddress } from '../../responses/service-address.ts';
import type { Routes } from '../context.ts';
import { modelName, versionName } from './collection.ts';
import { describeImages } from './evaluations.ts';

export const modelCardRoutes: Routes = async (app, { cards }) => {
  app.route({
    method: 'GET',
    url: '/models/:name/versions/:version/card',
    config: { scope: 'predict', sameOrigin: true },
    schema: {
      operationId: 'getModelCard',
      summary: 'Get the model card of a version',
      description:
        'Markdown with a YAML head as on the Hugging Face Hub, with `model-index`: what the version is, intended use and limits, data, ' +
        'training, evaluation with its interval and for each class, calibration, looks at the test split, how to predict, and lineage. ' +
        '`Accept: application/json` gives the same as JSON. The figures come from the evaluation on the test split. A version without a ' +
        'revealed test result is not evaluated for its card, so a card is never a look.',
      tags: ['models'],
      params: z.strictObject({ name: modelName, version: versionName }),
      readsDataset: true,
      response: {
        200: {
          description: 'The card',
          content: {
            'text/markdown': { schema: z.string() },
            'application/json': { schema: modelCardSchema },
          },
        },
        ...problems(400, 404, 406, 503),
      },
    },
    async handler(request, reply) {
      const type = negotiate(request, reply, ['text/markdown', 'application/json']);
      const content = await cards.collect(request.params, disconnectSignal(reply));
      const card = toCard(content, app.basePath);
      if (type === 'application/json') return reply.type(type).send(card);
      const { writeModelCard } = await import('../../../formats/documents/model-card/write.ts');
      return reply
        .type('text/markdown; charset=utf-8')
        .send(writeModelCard(card, app.basePath, serviceAddress(request)));
    },
  });
};

function toCard({ evaluated, ...content }: CardContent, basePath: string): ModelCard {
  const evaluation =
    evaluated &&
    describeEvaluation(evaluated.model, describeImages(basePath, evaluated, 'test'), evaluated.report);
  return {
    ...content,
    intendedUse: describeUse(content.version),
    limitations: describeLimitations(evaluation),
    evaluation,
  };
}
