/** Threshold curves: how well a score separates positive from negative examples, at every threshold. */

/**
 * An example is selected if its score is at least the threshold. Columns of equal length; the first threshold is Infinity and
 * selects no example, the last one selects all.
 */
export interface ThresholdCurve {
  readonly positives: number;
  readonly negatives: number;
  /** Descending. */
  readonly thresholds: readonly number[];
  /** Numbers of selected positive and of selected negative examples. */
  readonly truePositives: readonly number[];
  readonly falsePositives: readonly number[];
  /** Area under true positive rate by false positive rate; null unless there are positive and negative examples. */
  readonly areaUnderRoc: number | null;
  /** Σ (recall − recall before) · precision; null without positive examples. */
  readonly averagePrecision: number | null;
}

/** Limit of the points of a curve. */
export const MAX_CURVE_POINTS = 200;

/**
 * The areas are computed from all thresholds and equal scikit-learn's `roc_auc_score` and `average_precision_score`: examples
 * with equal scores are selected together. The points are then thinned out evenly along the curve of the two rates.
 * @param positives scores of the positive examples, at least 0; sorted in place
 * @param negatives the same for the negative examples
 * @param points limit of the points
 */
export function thresholdCurve(
  positives: Float32Array,
  negatives: Float32Array,
  points = MAX_CURVE_POINTS,
): ThresholdCurve {
  positives.sort();
  negatives.sort();
  const [positiveCount, negativeCount] = [positives.length, negatives.length];
  const position = (tp: number, fp: number) => tp / (positiveCount || 1) + fp / (negativeCount || 1);
  const distance = position(positiveCount, negativeCount) / (points - 2);
  const thresholds = [Number.POSITIVE_INFINITY];
  const truePositives = [0];
  const falsePositives = [0];
  let [tp, fp, kept] = [0, 0, 0];
  /** Twice the area in units of one positive times one negative example: an integer, so it is exact. */
  let area = 0;
  let precisions = 0;
  while (tp < positiveCount || fp < negativeCount) {
    const threshold = Math.max(positives.at(-1 - tp) ?? -1, negatives.at(-1 - fp) ?? -1);
    const [tpBefore, fpBefore] = [tp, fp];
    while (positives.at(-1 - tp)! >= threshold) tp++;
    while (negatives.at(-1 - fp)! >= threshold) fp++;
    area += (fp - fpBefore) * (tp + tpBefore);
    precisions += ((tp - tpBefore) * tp) / (tp + fp);
    const isLast = tp === positiveCount && fp === negativeCount;
    if (!isLast && position(tp, fp) - kept < distance) continue;
    kept = position(tp, fp);
    thresholds.push(threshold);
    truePositives.push(tp);
    falsePositives.push(fp);
  }
  return {
    positives: positiveCount,
    negatives: negativeCount,
    thresholds,
    truePositives,
    falsePositives,
    areaUnderRoc: positiveCount > 0 && negativeCount > 0 ? area / 2 / positiveCount / negativeCount : null,
    averagePrecision: positiveCount > 0 ? precisions / positiveCount : null,
  };
}
