/** What is odd about a data set and does not keep it from being trained on. */
import type { DatasetSummary } from '../../domain/dataset.ts';
import type { DatasetReport } from '../../domain/dataset-report.ts';

type Warning = DatasetReport['warnings'][number];
type Found = Omit<DatasetReport, 'warnings'>;

const UNBALANCED_RATIO = 10;

export function findWarnings(
  { arrays, pixels, duplicates, constantImages }: Found,
  { train, test }: DatasetSummary['splits'],
  classNames: readonly string[],
): Warning[] {
  const warnings: Warning[] = [];
  const warn = (holds: boolean, code: Warning['code'], message: string) => {
    if (holds) warnings.push({ code, message });
  };
  const named = (label: number) => `${label} (${JSON.stringify(classNames[label])})`;

  const dark = arrays.find(
    ({ dtype, shape, maximum }) =>
      shape.length > 1 && shape[1] !== 1 && !dtype.startsWith('f') && maximum <= 1,
  );
  warn(
    dark !== undefined,
    'dark-images',
    `No pixel of ${dark?.part} is greater than 1, of 255. If 1 is white, multiply by 255 or send floats.`,
  );
  warn(
    pixels.rounded > 0,
    'rounded-pixels',
    `${pixels.rounded} pixels were no whole number of 0–255, and were rounded to the nearest.`,
  );
  const [fewest, most] = extremes(train.examplesPerClass);
  warn(
    train.examplesPerClass[fewest]! * UNBALANCED_RATIO < train.examplesPerClass[most]!,
    'unbalanced-classes',
    `Class ${named(fewest)} has ${train.examplesPerClass[fewest]} training images, class ${named(most)} has ` +
      `${train.examplesPerClass[most]}. "classWeights": "balanced" weighs them alike.`,
  );
  const untested = test.examplesPerClass.indexOf(0);
  warn(untested >= 0, 'class-not-tested', `Class ${named(untested)} has no test image.`);
  const { across } = duplicates;
  warn(
    across.images > 0,
    'test-images-in-train',
    `${across.images} of ${test.examples} test images are training images too: the test accuracy is too good by them.`,
  );
  const contradictory = duplicates.train.withOtherLabel;
  warn(
    contradictory > 0,
    'contradictory-labels',
    `${contradictory} training images repeat an earlier one with another label.`,
  );
  const constant = constantImages.train + constantImages.test;
  warn(constant > 0, 'constant-images', `${constant} images have one colour only.`);
  return warnings;
}

/** Where the smallest and the largest count are. */
function extremes(counts: readonly number[]): [fewest: number, most: number] {
  return [counts.indexOf(Math.min(...counts)), counts.indexOf(Math.max(...counts))];
}
