/** /v1/models/{name}/versions/{version}/evaluation and …/comparison: evaluate, compare. */
import { z } from 'zod';
import { coverageReportSchema, describeCoverage } from '../../../domain/checks/coverage.ts';
import {
  comparisonQuerySchema,
  comparisonSchema,
  describeComparison,
  describeEvaluation,
  evaluationCellQuerySchema,
  evaluationQuerySchema,
  evaluationSchema,
} from '../../../domain/checks/evaluation.ts';
import { describeRanking, rankingSchema } from '../../../domain/checks/ranking.ts';
import { type DatasetSummary, imageUrl, type SplitName } from '../../../domain/datasets/representation.ts';
import { problems } from '../../errors/problem.ts';
import { disconnectSignal } from '../../responses/client-disconnect.ts';
import { renderCoverage, renderRanking, sendTable } from '../../responses/csv-tables.ts';
import type { Routes } from '../context.ts';
import { modelName, versionName } from './collection.ts';

const tags = ['models'];
const params = z.strictObject({ name: modelName, version: versionName });

export const evaluationRoutes: Routes = async (app, { evaluations }) => {
  app.route({
    method: 'GET',
    url: '/models/:name/versions/:version/evaluation',
    config: { scope: 'predict', sameOrigin: true },
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
    url: '/models/:name/versions/:version/evaluation/ranking',
    config: { scope: 'predict', sameOrigin: true },
    schema: {
      operationId: 'rankModelVersion',
      summary: 'Get ROC and precision–recall curves of a version',
      description:
        'Each class against the rest: area under the ROC curve, average precision, and for thresholds of the probability the recall, ' +
        'false positive rate, precision and accuracy; their macro and micro averages; and the accuracy if only the predictions with the ' +
        'highest probabilities are given. Areas and average precisions equal those of scikit-learn. `Accept: text/csv` returns the points ' +
        'as a table with a header row. The images and the looks are those of `GET …/evaluation`.',
      tags,
      params,
      querystring: evaluationQuerySchema,
      readsDataset: true,
      response: {
        200: {
          description: 'The areas, and the curves in columns',
          content: { 'application/json': { schema: rankingSchema }, 'text/csv': { schema: z.string() } },
        },
        ...problems(400, 404, 406, 422, 503, 507),
      },
    },
    async handler(request, reply) {
      const rank = async () => {
        const { params, query, caller } = request;
        const result = await evaluations.rank(params, query, disconnectSignal(reply), caller);
        return describeRanking(
          result.model,
          describeImages(app.basePath, result, query.split),
          result.ranking,
        );
      };
      return sendTable(request, reply, rank, renderRanking);
    },
  });

  app.route({
    method: 'GET',
    url: '/models/:name/versions/:version/evaluation/coverage',
    config: { scope: 'predict', sameOrigin: true },
    schema: {
      operationId: 'measureModelVersionCoverage',
      summary: 'Measure the coverage of a version',
      description:
        'For the coverages 0.8, 0.9, 0.95 and 0.99: the fraction of the images whose set of classes contains the true one, the mean size of the ' +
        'sets, the fraction of unsure predictions, and the accuracy of the sure ones; and the expected calibration error without and with ' +
        'the temperature. `reused` states whether the images also calibrated or trained the version. `Accept: text/csv` returns the table of ' +
        'the coverages. The images and the looks are those of `GET …/evaluation`. A version without a calibration is calibrated on the ' +
        'validation images of its training; 409 if it has none.',
      tags,
      params,
      querystring: evaluationQuerySchema,
      readsDataset: true,
      response: {
        200: {
          description: 'One level per coverage',
          content: {
            'application/json': { schema: coverageReportSchema },
            'text/csv': { schema: z.string() },
          },
        },
        ...problems(400, 404, 406, 409, 422, 503, 507),
      },
    },
    async handler(request, reply) {
      const measure = async () => {
        const { params, query, caller } = request;
        const result = await evaluations.measureCoverage(params, query, disconnectSignal(reply), caller);
        return describeCoverage(result.model, describeImages(app.basePath, result, query.split), result);
      };
      return sendTable(request, reply, measure, renderCoverage);
    },
  });

  app.route({
    method: 'GET',
    url: '/models/:name/versions/:version/comparison',
    config: { scope: 'predict', sameOrigin: true },
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
