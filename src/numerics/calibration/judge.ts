/** Judges predictions by a calibration: the set of classes of each image, and whether the prediction is sure. */
import { leastProbability } from './conformal.ts';
import { type Calibration, expectedUnsure } from './fit.ts';
import { findOutliers, type Observed, scoreOutliers } from './outliers.ts';

/** Reasons for which a prediction is unsure; the first that applies is given. */
export const UNSURE_REASONS = ['unlike-training-images', 'no-class', 'several-classes'] as const;
type UnsureReason = (typeof UNSURE_REASONS)[number];
/** Results of judging an image. */
export const JUDGEMENTS = ['sure', ...UNSURE_REASONS] as const;

/** Numbers of images. */
export interface JudgementTally {
  readonly counts: Readonly<Record<(typeof JUDGEMENTS)[number], number>>;
  /** Images that would be unsure if as many of them were as of the calibration images */
  readonly expectedUnsure: number;
}

export interface Judgements {
  /** n × classes: 1 for each class of the set of an image, else 0. */
  readonly sets: Uint8Array;
  /** null for a sure prediction. */
  readonly reasons: readonly (UnsureReason | null)[];
  /** Fraction of the calibration images that is unsure at the same coverage. */
  readonly expectedUnsure: number;
}

/**
 * The set of an image contains its true class for a fraction of at least `coverage` of images that are drawn as the calibration
 * images were. A prediction is sure if the set has exactly one class and the image is not an outlier, which a fraction of at
 * most 1 − `coverage` of such images are.
 * @param probabilities n × classes, the softmax of the logits
 * @param inputs values of an image
 */
export function judgeImages(
  calibration: Calibration,
  coverage: number,
  observed: Observed,
  probabilities: Float32Array,
  inputs: number,
): Judgements {
  const classes = probabilities.length / (observed.pixels.length / inputs);
  const least = leastProbability(calibration.trueProbabilities, coverage);
  const scored = scoreOutliers(calibration.outliers, observed, inputs, classes);
  const isOutlier = findOutliers(calibration.outliers, coverage, scored);
  return {
    ...judgeSets(least, probabilities, isOutlier),
    expectedUnsure: expectedUnsure(calibration, coverage),
  };
}

/**
 * Judges by the results of `leastProbability` and `findOutliers`.
 * @param probabilities n × classes
 * @param isOutlier n
 */
export function judgeSets(
  least: number,
  probabilities: Float32Array,
  isOutlier: readonly boolean[],
): Pick<Judgements, 'sets' | 'reasons'> {
  const classes = probabilities.length / isOutlier.length;
  const sets = Uint8Array.from(probabilities, (probability) => (probability >= least ? 1 : 0));
  const reasons = isOutlier.map((outlier, n) => {
    if (outlier) return 'unlike-training-images';
    let size = 0;
    for (let k = n * classes; k < (n + 1) * classes; k++) size += sets[k]!;
    if (size === 1) return null;
    return size === 0 ? 'no-class' : 'several-classes';
  });
  return { sets, reasons };
}

export function tallyJudgements({
  reasons,
  expectedUnsure: fraction,
}: Pick<Judgements, 'reasons' | 'expectedUnsure'>): JudgementTally {
  const counts = { sure: 0, 'unlike-training-images': 0, 'no-class': 0, 'several-classes': 0 };
  for (const reason of reasons) counts[reason ?? 'sure']++;
  return { counts, expectedUnsure: reasons.length * fraction };
}

export function addJudgements(a: JudgementTally, b: JudgementTally): JudgementTally {
  const counts = { ...a.counts };
  for (const judgement of JUDGEMENTS) counts[judgement] += b.counts[judgement];
  return { counts, expectedUnsure: a.expectedUnsure + b.expectedUnsure };
}

/**
 * @returns n × (classes + 1): the set of each image, then 0 if its prediction is sure, else the position of the reason in
 *   UNSURE_REASONS, from 1
 */
export function judgementRows({ sets, reasons }: Judgements, classes: number): Uint8Array {
  const rows = new Uint8Array(reasons.length * (classes + 1));
  for (const [n, reason] of reasons.entries()) {
    rows.set(sets.subarray(n * classes, (n + 1) * classes), n * (classes + 1));
    rows[n * (classes + 1) + classes] = reason === null ? 0 : 1 + UNSURE_REASONS.indexOf(reason);
  }
  return rows;
}
