/** Warnings about an uploaded data set, for defects that do not prevent training. */

import type { DatasetReport } from '../../domain/datasets/report.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import { MAX_UNSCALED } from '../../numerics/diagnosis/diagnose.ts';
import { MAX_NAMED } from './folders/archive.ts';

type Warning = DatasetReport['warnings'][number];
type Found = Omit<DatasetReport, 'warnings'>;

const UNBALANCED_RATIO = 10;

export function findWarnings(
  { arrays, pixels, duplicates, constantImages }: Found,
  { train, validation, test }: DatasetSummary['splits'],
  classNames: readonly string[],
): Warning[] {
  const warnings: Warning[] = [];
  const warn = (holds: boolean, code: Warning['code'], message: string) => {
    if (holds) warnings.push({ code, message });
  };
  const named = (label: number) => `${label} (${JSON.stringify(classNames[label])})`;

  // Floats up to 1 are on the scale 0–1.
  const dark = arrays.find(
    ({ dtype, shape, maximum }) =>
      // Labels may have shape (n, 1), and images (n, 1, height, width).
      (shape.length > 2 || (shape.length === 2 && shape[1] !== 1)) &&
      maximum <= MAX_UNSCALED &&
      !(dtype.startsWith('f') && maximum <= 1),
  );
  const remedy =
    dark && dark.maximum <= 1
      ? 'If 1 is white, multiply by 255 or send floats.'
      : `If ${dark?.maximum} is white, multiply by 255 / ${dark?.maximum}.`;
  warn(
    dark !== undefined,
    'dark-images',
    `No pixel of ${dark?.part} is greater than ${dark?.maximum} on the scale 0–255. ${remedy}`,
  );
  warn(
    pixels.rounded > 0,
    'rounded-pixels',
    `${pixels.rounded} pixels were rounded to the nearest whole number from 0 to 255.`,
  );
  const [fewest, most] = extremes(train.examplesPerClass);
  warn(
    train.examplesPerClass[fewest]! * UNBALANCED_RATIO < train.examplesPerClass[most]!,
    'unbalanced-classes',
    `Class ${named(fewest)} has ${train.examplesPerClass[fewest]} training images, but class ${named(most)} has ` +
      `${train.examplesPerClass[most]}. Set "classWeights": "balanced" to weight classes equally.`,
  );
  const untested = test.examplesPerClass.flatMap((count, label) => (count === 0 ? [label] : []));
  const first = untested.slice(0, MAX_NAMED).map(named).join(', ');
  const more = untested.length > MAX_NAMED ? ` and ${untested.length - MAX_NAMED} more` : '';
  warn(
    untested.length > 0,
    'class-not-tested',
    untested.length === 1
      ? `Class ${first} has no test image.`
      : `${untested.length} classes have no test image: ${first}${more}.`,
  );
  const { across } = duplicates;
  warn(
    across.images > 0,
    'test-images-in-train',
    `${across.images} of ${test.examples} test images are also training images, so the test accuracy will be too high.`,
  );
  const { validationInTrain, testInValidation } = duplicates;
  warn(
    (validationInTrain?.images ?? 0) > 0,
    'validation-images-in-train',
    `${validationInTrain?.images} of ${validation?.examples} validation images are also training images, so the validation accuracy will be too high.`,
  );
  warn(
    (testInValidation?.images ?? 0) > 0,
    'test-images-in-validation',
    `${testInValidation?.images} of ${test.examples} test images are also validation images, which choose models, so the test accuracy will be too high.`,
  );
  const contradictory = duplicates.train.withOtherLabel;
  warn(
    contradictory > 0,
    'contradictory-labels',
    `${contradictory} training images repeat an earlier image with a different label.`,
  );
  const constant = constantImages.train + (constantImages.validation ?? 0) + constantImages.test;
  warn(constant > 0, 'constant-images', `${constant} images have only one grey value.`);
  return warnings;
}

/** Indices of the smallest and the largest count. */
function extremes(counts: readonly number[]): [fewest: number, most: number] {
  return [counts.indexOf(Math.min(...counts)), counts.indexOf(Math.max(...counts))];
}
