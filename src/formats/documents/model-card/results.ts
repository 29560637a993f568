/** Sections of a model card about results: evaluation, calibration, looks at the test split. */
import type { Evaluation } from '../../../domain/checks/evaluation.ts';
import type { TestSetUse } from '../../../domain/models/test-set.ts';
import type { ModelCard } from '../../../domain/reports/model-card.ts';
import { code, count, escapeText, figure, table } from './markdown.ts';

/** @param path of the version in the API */
export function resultSections(card: ModelCard, path: string): string[] {
  const { evaluation, testSet, version } = card;
  return [
    '## Evaluation',
    ...(evaluation === null ? notEvaluated(card, path) : evaluated(evaluation)),
    ...(evaluation === null ? [] : calibrated(evaluation)),
    '## Looks at the test split',
    ...(testSet === null ? ['The version has no data set.'] : describeTestSet(testSet, version.testAccuracy)),
  ];
}

function notEvaluated(
  { dataset, notEvaluated: reason, version: { testAccuracy } }: ModelCard,
  path: string,
): string[] {
  const known = testAccuracy === null ? [] : [`Accuracy on the test split: ${figure(testAccuracy)}.`];
  // Without its data set the version cannot be evaluated.
  const advice = dataset === null ? '' : ` ${code(`GET ${path}/evaluation`)} evaluates the version.`;
  return [...known, escapeText(reason ?? '') + advice];
}

function evaluated({
  accuracy,
  accuracyInterval,
  loss,
  examples,
  classes,
  macroAverage,
}: Evaluation): string[] {
  const { low, high } = accuracyInterval;
  const scores = ({ precision, recall, f1 }: Evaluation['macroAverage']) => [
    figure(precision),
    figure(recall),
    figure(f1),
  ];
  return [
    `Accuracy **${figure(accuracy)}** on ${count(examples)} images of the test split, 95 % interval ${figure(low)} to ${figure(high)} ` +
      `(Wilson); mean cross-entropy ${figure(loss)} nats.`,
    table(
      ['class', 'precision', 'recall', 'F1', 'images'],
      [
        ...classes.map((each) => [escapeText(each.className), ...scores(each), count(each.support)]),
        ['mean of the classes', ...scores(macroAverage), count(examples)],
      ],
    ),
  ];
}

function calibrated({ calibration: { expectedCalibrationError, bins } }: Evaluation): string[] {
  return [
    '## Calibration',
    `Expected calibration error ${figure(expectedCalibrationError)}: the mean difference between the confidence of predictions ` +
      'and their accuracy, over the bins below, weighted by their images.',
    table(
      ['confidence', 'images', 'mean confidence', 'accuracy'],
      bins
        .filter((bin) => bin.count > 0)
        .map((bin) => [
          `${bin.from.toFixed(3)}–${bin.to.toFixed(3)}`,
          count(bin.count),
          figure(bin.confidence),
          figure(bin.accuracy),
        ]),
    ),
  ];
}

/** Sentences about the looks at the test split, without markup. */
export function describeTestSet(
  { looks, chosenBy, intervalOfBest }: TestSetUse,
  testAccuracy: number | null,
): string[] {
  const counted =
    `Until now, ${count(looks.total)} test results of given parameters were revealed, ${count(looks.before)} of them before the ` +
    `version was published and ${count(looks.lineage)} of its own lineage.`;
  const chosen =
    chosenBy === 'validation'
      ? 'No test result of its lineage was revealed before it was published, and it was chosen by validation images.'
      : 'Test results may have guided the choice of the version.';
  if (intervalOfBest === null) return [`${counted} ${chosen}`];
  const { low, high } = intervalOfBest;
  return [
    `${counted} ${chosen}`,
    `If the version was chosen as the best of all ${count(intervalOfBest.looks)} results, its accuracy ${figure(testAccuracy)} has the interval ` +
      `${figure(low)} to ${figure(high)} (Wilson with Bonferroni's correction, at least 95 % together).`,
  ];
}
