/** One normal distribution per class over the features of its images; of many classes, all with the same covariance. */
import type { Labels } from '../examples/labels.ts';

/** One class; its log density is −½‖G⁻¹(f − m)‖² − Σ log G_ii, up to a constant. */
interface ClassGaussian {
  readonly mean: Float64Array;
  /** Lower triangle of G, C = G Gᵀ, row by row. */
  readonly factor: Float64Array;
  /** Σ log G_ii */
  readonly logDeterminant: number;
  /** G⁻¹m if all classes have the same G, else null. */
  readonly solvedMean: Float64Array | null;
}

/** Classes without examples have none. */
export type ClassGaussians = readonly ClassGaussian[];

/** Added to every variance (features are on the scale 0–1), for cells that are black in every image. */
const FLOOR = 1e-3;
/** More classes have the same covariance: matrices of their own would take minutes to compare and megabytes to keep. */
const MAX_OWN_SHAPES = 100;

/**
 * C_k = (S_k + d W) / (n_k + d) + FLOOR · 1, with S_k the scatter of class k's n_k rows, W the within-class scatter of all
 * classes divided by the number of rows, and d the number of features: a class with few rows takes its shape from the
 * others (Friedman 1989, Regularized Discriminant Analysis). With more than MAX_OWN_SHAPES classes, C_k = W + FLOOR · 1.
 * @param rows n × d
 */
export function fitClassGaussians(
  rows: Float64Array,
  labels: Labels,
  d: number,
  classes: number,
): ClassGaussians {
  const counts = new Float64Array(classes);
  const means = Array.from({ length: classes }, () => new Float64Array(d));
  for (const [n, label] of labels.entries()) {
    counts[label]!++;
    for (let i = 0; i < d; i++) means[label]![i]! += rows[n * d + i]!;
  }
  for (const [k, mean] of means.entries()) for (let i = 0; i < d; i++) mean[i]! /= counts[k]! || 1;
  const isShared = classes > MAX_OWN_SHAPES;
  const scatters = Array.from({ length: isShared ? 1 : classes }, () => new Float64Array((d * (d + 1)) / 2));
  const within = new Float64Array((d * (d + 1)) / 2);
  const centred = new Float64Array(d);
  for (const [n, label] of labels.entries()) {
    for (let i = 0; i < d; i++) centred[i] = rows[n * d + i]! - means[label]![i]!;
    const scatter = scatters[isShared ? 0 : label]!;
    for (let i = 0, at = 0; i < d; i++)
      for (let j = 0; j <= i; j++) scatter[at++]! += centred[i]! * centred[j]!;
  }
  for (const scatter of scatters)
    for (const [at, sum] of scatter.entries()) within[at]! += sum / labels.length;
  const shared = isShared ? toFactor(within, d) : null;
  return means.flatMap((mean, k) => {
    if (counts[k] === 0) return [];
    const shape =
      shared ??
      toFactor(
        scatters[k]!.map((sum, at) => (sum + d * within[at]!) / (counts[k]! + d)),
        d,
      );
    return [{ mean, ...shape, solvedMean: shared && solve(shared.factor, mean) }];
  });
}

/** G and Σ log G_ii of C + FLOOR · 1, in place. */
function toFactor(c: Float64Array, d: number) {
  for (let i = 0; i < d; i++) c[diagonal(i)]! += FLOOR;
  factorize(c, d);
  let logDeterminant = 0;
  for (let i = 0; i < d; i++) logDeterminant += Math.log(c[diagonal(i)]!);
  return { factor: c, logDeterminant };
}

/** Index of element (i, i) in a lower triangle. */
const diagonal = (i: number) => (i * (i + 3)) / 2;

/** Cholesky in place: the lower triangle of C becomes the one of G, C = G Gᵀ. */
function factorize(c: Float64Array, d: number): void {
  for (let i = 0; i < d; i++) {
    const row = (i * (i + 1)) / 2;
    for (let j = 0; j <= i; j++) {
      const other = (j * (j + 1)) / 2;
      let sum = c[row + j]!;
      for (let k = 0; k < j; k++) sum -= c[row + k]! * c[other + k]!;
      c[row + j] = i === j ? Math.sqrt(sum) : sum / c[other + j]!;
    }
  }
}

/** The largest log density of any class, up to a constant. */
export function logLikelihood(gaussians: ClassGaussians, features: Float64Array): number {
  const shared = gaussians[0];
  if (shared?.solvedMean) return sharedLikelihood(shared, gaussians, features);
  const solved = new Float64Array(features.length);
  let best = Number.NEGATIVE_INFINITY;
  for (const { mean, factor, logDeterminant } of gaussians) {
    let squares = 0;
    for (let i = 0, at = 0; i < solved.length; i++) {
      let sum = features[i]! - mean[i]!;
      for (let j = 0; j < i; j++) sum -= factor[at++]! * solved[j]!;
      solved[i] = sum / factor[at++]!;
      squares += solved[i]! ** 2;
      // The density only decreases from here on.
      if (-squares / 2 - logDeterminant <= best) break;
    }
    best = Math.max(best, -squares / 2 - logDeterminant);
  }
  return best;
}

/** With the same G, the largest density is that of the nearest G⁻¹m. */
function sharedLikelihood(
  { factor, logDeterminant }: ClassGaussian,
  gaussians: ClassGaussians,
  features: Float64Array,
): number {
  const solved = solve(factor, features);
  let least = Number.POSITIVE_INFINITY;
  for (const { solvedMean } of gaussians) {
    let squares = 0;
    for (let i = 0; i < solved.length; i++) squares += (solved[i]! - solvedMean![i]!) ** 2;
    least = Math.min(least, squares);
  }
  return -least / 2 - logDeterminant;
}

/** G⁻¹x */
function solve(factor: Float64Array, x: Float64Array): Float64Array {
  const solved = x.slice();
  for (let i = 0, at = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) solved[i]! -= factor[at++]! * solved[j]!;
    solved[i]! /= factor[at++]!;
  }
  return solved;
}
