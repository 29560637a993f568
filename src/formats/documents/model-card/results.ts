/** Sections of a model card about the evaluation on the test split. */
import type { Evaluation } from '../../../domain/checks/evaluation.ts';
import type { ModelCard } from '../../../domain/reports/model-card.ts';
import { type Block, decimal, prose, range, table, text, whole } from '../blocks.ts';
import { describeCalibration, listCoverage, listScores } from '../facts.ts';

/** @param path of the version in the API */
export function evaluationBlocks(card: ModelCard, path: string): Block[] {
  const { evaluation } = card;
  if (evaluation === null) return describeMissing(card, path);
  const { accuracy, accuracyInterval, loss, examples } = evaluation;
  return [
    prose`Accuracy ${{ strong: decimal(accuracy) }} on ${whole(examples)} images of the test split, 95 % interval
      ${range(accuracyInterval)} (Wilson); mean cross-entropy ${decimal(loss)} nats.`,
    listScores(evaluation, card.areas),
  ];
}

function describeMissing({ dataset, notEvaluated, version }: ModelCard, path: string): Block[] {
  const { testAccuracy } = version;
  return [
    ...(testAccuracy === null ? [] : [prose`Accuracy on the test split: ${decimal(testAccuracy)}.`]),
    dataset === null
      ? text(notEvaluated ?? '')
      : // Without its data set the version could not be evaluated.
        prose`${notEvaluated ?? ''} ${{ code: `GET ${path}/evaluation` }} evaluates the version.`,
  ];
}

/** Empty for a version that is neither calibrated nor evaluated. */
export function calibrationBlocks({ version, evaluation, coverage }: ModelCard): Block[] {
  return [
    ...(version.calibration === null ? [] : describeCalibration(version.calibration)),
    ...(coverage === null ? [] : listCoverage(coverage)),
    ...(evaluation === null ? [] : describeReliability(evaluation.calibration)),
  ];
}

function describeReliability({ expectedCalibrationError, bins }: Evaluation['calibration']): Block[] {
  return [
    prose`Expected calibration error of the test split ${decimal(expectedCalibrationError)}: the mean difference between the confidence of
      predictions and their accuracy, over the bins below, weighted by their images.`,
    table(
      ['confidence', 'images', 'mean confidence', 'accuracy'],
      bins
        .filter((bin) => bin.count > 0)
        .map((bin) => [
          `${bin.from.toFixed(3)}–${bin.to.toFixed(3)}`,
          whole(bin.count),
          decimal(bin.confidence),
          decimal(bin.accuracy),
        ]),
    ),
  ];
}
