/**
 * Split conformal prediction: sets of classes that contain the true one with a chosen frequency.
 * Vovk, Gammerman, Shafer 2005; Angelopoulos and Bates 2021, "A Gentle Introduction to Conformal Prediction".
 */
import type { Labels } from '../examples/labels.ts';

/** Subtracted from (n + 1) · coverage, so that a product such as 7.000000000000001 is not rounded up to 8. */
const ROUNDING = 1e-9;

/** Rank of the quantile of n values that a further value does not exceed with a probability of at least `level`. */
export const conformalRank = (count: number, level: number): number =>
  Math.ceil((count + 1) * level - ROUNDING);

/**
 * The probability of the true class of each image, largest first: the conformity scores 1 − p in ascending order.
 * @param probabilities n × classes
 */
export function sortTrueProbabilities(
  probabilities: Float32Array,
  labels: Labels,
  classes: number,
): Float32Array {
  return Float32Array.from(labels, (label, n) => probabilities[n * classes + label]!)
    .sort()
    .reverse();
}

/**
 * A class belongs to the set if its probability is at least this: if its score is at most the ⌈(n + 1) · coverage⌉-th smallest
 * score. If that rank exceeds n, the result is 0, and every set holds all classes.
 * @param sorted by `sortTrueProbabilities`
 */
export function leastProbability(sorted: Float32Array, coverage: number): number {
  return sorted[conformalRank(sorted.length, coverage) - 1] ?? 0;
}
