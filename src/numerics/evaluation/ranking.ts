/** Ranking: how well the probabilities order images, for each class against the rest and for all predictions. */
import type { Predictions } from './predictions.ts';
import { MAX_CURVE_POINTS, type ThresholdCurve, thresholdCurve } from './threshold-curve.ts';

/** Limit of the points of the curves of all classes together. */
export const MAX_CLASS_POINTS = 20_000;

type Areas = Pick<ThresholdCurve, 'areaUnderRoc' | 'averagePrecision'>;

export interface Ranking {
  readonly examples: number;
  /** The positive examples of a class are its images, scored by the probability of the class. */
  readonly classes: readonly ThresholdCurve[];
  /** Unweighted means over the classes that have the figure; null if none has. */
  readonly macro: Areas;
  /** All pairs of an image and a class together; positive are those of an image and its class. */
  readonly micro: ThresholdCurve;
  /** All predictions; positive are the correct ones, scored by the probability of the predicted class. */
  readonly predictions: ThresholdCurve;
}

/** @param probabilities n × classes; NaN counts as 0 */
export function rankPredictions(
  { labels, predicted, confidences }: Omit<Predictions, 'losses'>,
  probabilities: Float32Array,
  classes: number,
): Ranking {
  const examples = labels.length;
  const score = (n: number, k: number) => probabilities[n * classes + k]! || 0;
  const perClass = Array.from({ length: classes }, (_, k) =>
    separate(
      examples,
      (n) => labels[n] === k,
      (n) => score(n, k),
      Math.min(MAX_CURVE_POINTS, Math.floor(MAX_CLASS_POINTS / classes)),
    ),
  );
  const pairs = examples * classes;
  const labelOf = (pair: number) => labels[Math.floor(pair / classes)];
  return {
    examples,
    classes: perClass,
    macro: {
      areaUnderRoc: mean(perClass.map(({ areaUnderRoc }) => areaUnderRoc)),
      averagePrecision: mean(perClass.map(({ averagePrecision }) => averagePrecision)),
    },
    micro: separate(
      pairs,
      (pair) => labelOf(pair) === pair % classes,
      (pair) => probabilities[pair]! || 0,
    ),
    predictions: separate(
      examples,
      (n) => predicted[n] === labels[n],
      (n) => confidences[n]!,
    ),
  };
}

function separate(
  count: number,
  isPositive: (n: number) => boolean,
  score: (n: number) => number,
  points?: number,
): ThresholdCurve {
  let positives = 0;
  for (let n = 0; n < count; n++) if (isPositive(n)) positives++;
  const [positive, negative] = [new Float32Array(positives), new Float32Array(count - positives)];
  let [p, q] = [0, 0];
  for (let n = 0; n < count; n++) {
    if (isPositive(n)) positive[p++] = score(n);
    else negative[q++] = score(n);
  }
  return thresholdCurve(positive, negative, points);
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
