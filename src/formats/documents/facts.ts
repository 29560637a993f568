/** Facts that lab reports and model cards show alike: images and scores of classes, looks at the test split. */

import type { ShownCoverage } from '../../domain/checks/coverage.ts';
import type { Evaluation } from '../../domain/checks/evaluation.ts';
import type { ShownAreas } from '../../domain/checks/ranking.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import type { Calibration } from '../../domain/models/calibration.ts';
import type { TestSetUse } from '../../domain/models/test-set.ts';
import { FEW_CLASSES, MAX_LISTED_CLASSES } from '../../domain/reports/model-card.ts';
import { type Block, decimal, NONE, prose, table, text, whole } from './blocks.ts';

export function countImages({
  splits: { train, validation, test },
  classNames,
}: Pick<DatasetSummary, 'splits' | 'classNames'>): Block {
  const splits = [train, validation, test].filter((split) => split !== undefined);
  const classes = classNames.map((name, label) => ({
    name,
    counts: splits.map(({ examplesPerClass }) => examplesPerClass[label]!),
  }));
  const { listed, others } = few(classes, ({ counts }) => counts[0]!);
  return table(
    ['class', 'training images', ...(validation ? ['validation images'] : []), 'test images'],
    [
      ...listed.map(({ name, counts }) => [name, ...counts.map(whole)]),
      ...(others > 0 ? [[`${others} other classes, with at least as many`, ...splits.map(() => NONE)]] : []),
      ['all', ...splits.map(({ examples }) => whole(examples))],
    ],
  );
}

/** All classes, or of many those with the lowest figure, and the number of the others. */
function few<T>(
  classes: readonly T[],
  figure: (each: T) => number,
): { listed: readonly T[]; others: number } {
  if (classes.length <= MAX_LISTED_CLASSES) return { listed: classes, others: 0 };
  const listed = classes.toSorted((a, b) => figure(a) - figure(b)).slice(0, FEW_CLASSES);
  return { listed, others: classes.length - FEW_CLASSES };
}

/** @param areas null if they are not shown */
export function listScores({ classes, macroAverage, examples }: Evaluation, areas: ShownAreas | null): Block {
  const row = (
    name: string,
    { precision, recall, f1 }: Evaluation['macroAverage'],
    area: ShownAreas['macroAverage'] | undefined,
    images: number,
  ) => [
    name,
    ...[precision, recall, f1].map(decimal),
    ...(area ? [area.areaUnderRoc, area.averagePrecision].map(decimal) : []),
    whole(images),
  ];
  const scored = classes.map((scores, k) => ({ scores, area: areas?.classes[k] }));
  const { listed, others } = few(scored, ({ scores }) => scores.f1);
  return table(
    [
      'class',
      'precision',
      'recall',
      'F1',
      ...(areas ? ['area under ROC', 'average precision'] : []),
      'images',
    ],
    [
      ...listed.map(({ scores, area }) => row(scores.className, scores, area, scores.support)),
      ...(others > 0
        ? [
            [
              `${others} other classes, with an F1 at least as high`,
              ...Array<string>(areas ? 6 : 4).fill(NONE),
            ],
          ]
        : []),
      row('mean of the classes', macroAverage, areas?.macroAverage, examples),
    ],
  );
}

/** The images of a calibration, and what its temperature changes. */
export function describeCalibration({
  dataset,
  split,
  images,
  reused,
  temperature,
  loss,
  expectedCalibrationError: error,
  warning,
}: Calibration): Block[] {
  return [
    prose`The version is calibrated on ${whole(images)} ${split} images of data set ${{ code: dataset }}, so predictions take a
      ${{ code: 'coverage' }}. The temperature ${decimal(temperature)} changes the expected calibration error on these images from
      ${decimal(error.before)} to ${decimal(error.after)}, and the mean cross-entropy from ${decimal(loss.before)} to
      ${decimal(loss.after)} nats.`,
    text(
      reused
        ? 'These images also trained or chose the version, so the coverage of its sets of classes is approximate.'
        : 'The version was neither trained on these images nor chosen by them.',
    ),
    ...(warning === null ? [] : [text(warning)]),
  ];
}

/** The coverage of the sets of classes, measured on the test split. */
export function listCoverage({
  levels,
  examples,
  reused,
  expectedCalibrationError: error,
}: ShownCoverage): Block[] {
  return [
    prose`Measured on ${whole(examples)} test images${reused ? ', which also calibrated the version, so new images fare worse' : ''};
      the temperature changes their expected calibration error from ${decimal(error.before)} to ${decimal(error.after)}.`,
    table(
      ['coverage', 'measured', 'classes of a set', 'unsure', 'accuracy if sure'],
      levels.map((level) => [
        String(level.coverage),
        ...[level.measured, level.meanSize, level.unsure, level.sureAccuracy].map(decimal),
      ]),
    ),
  ];
}

/** Sentences about the looks at the test split. @param accuracy measured on the test split */
export function describeTestSet(
  { looks, chosenBy, intervalOfBest }: TestSetUse,
  accuracy: number | null,
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
    `If the version was chosen as the best of all ${count(intervalOfBest.looks)} results, its accuracy ${accuracy?.toFixed(4) ?? NONE} has the interval ` +
      `${low.toFixed(4)} to ${high.toFixed(4)} (Wilson with Bonferroni's correction, at least 95 % together).`,
  ];
}

const count = (value: number) => value.toLocaleString('en');
