/** /v1/models/{name}/versions/{version}/evaluation and …/comparison: evaluate, compare. */
import { z } from 'zod';
import {
  comparisonQuerySchema,
  comparisonSchema,
  describeComparison,
  describeEvaluation,
  evaluationCellQuerySchema,
  evaluationSchema,
} from '../../../domain/checks/evaluation.ts';
import { type DatasetSummary, imageUrl, type SplitName } from '../../../domain/datasets/representation.ts';
import { problems } from '../../errors/problem.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import type { Routes } from '../context.ts';
import { modelName, versionName } from './collection.ts';

const tags = ['models'];
const params = z.strictObject({ name: modelName, version: versionName });

export const evaluationRoutes: Routes = async (app, { evaluations }) => {
  app.route({
    method: 'GET',
    url: '/models/:name/versions/:version/evaluation',
    config: { scope: 'predict' },
    schema: {
      operationId: 'evaluateModelVersion',
      summary: 'Evaluate a version on all images of a split',
      description:
        'Loss, accuracy with its 95 % interval, confusion matrix, precision, recall and F1 of each class, calibration, and ' +
        'the most confident mistakes with links to their images. `split=train` evaluates the training images, including ' +
        'the validation images. `label` and `predicted` list the images of a cell of the confusion matrix. The result is computed once and cached. The first result on the test split counts as a look.',
      tags,
      params,
      querystring: evaluationCellQuerySchema,
      readsDataset: true,
      response: { 200: evaluationSchema, ...problems(400, 404, 422, 503, 507) },
    },
    async handler(request, reply) {
      const { split } = request.query;
      const result = await evaluations.evaluate(
        request.params,
        request.query,
        disconnectSignal(reply),
        request.caller,
      );
      return describeEvaluation(result.model, describeImages(app.basePath, result, split), result.report);
    },
  });

  app.route({
    method: 'GET',
    url: '/models/:name/versions/:version/comparison',
    config: { scope: 'predict' },
    schema: {
      operationId: 'compareModelVersions',
      summary: 'Compare a version with another on the same images',
      description:
        "A verdict in one sentence, accuracies, McNemar's test of whether they differ by more than chance, the change of each " +
        'class, and the images that the two versions classify differently. The result is computed once and cached. On the test split, ' +
        'the first result of each version counts as a look.',
      tags,
      params,
      querystring: comparisonQuerySchema,
      readsDataset: true,
      response: { 200: comparisonSchema, ...problems(400, 404, 422, 503, 507) },
    },
    async handler(request, reply) {
      const { split } = request.query;
      const result = await evaluations.compare(
        request.params,
        request.query,
        disconnectSignal(reply),
        request.caller,
      );
      return describeComparison(
        result.model,
        result.other,
        describeImages(app.basePath, result, split),
        result.comparison,
      );
    },
  });
};

/** The images of a split, and the URL of each. */
export function describeImages(
  basePath: string,
  { dataset, classNames }: { readonly dataset: DatasetSummary; readonly classNames: readonly string[] },
  split: SplitName,
) {
  const { id } = dataset;
  return {
    dataset: id,
    split,
    classNames,
    imageUrl: (index: number) => imageUrl(basePath, id, split, index),
  };
}
