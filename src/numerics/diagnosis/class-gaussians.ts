/** One normal distribution per class over the features of its images. */
import type { Labels } from '../examples/labels.ts';

/** One class; its log density is −½‖G⁻¹(f − m)‖² − Σ log G_ii, up to a constant. */
interface ClassGaussian {
  readonly mean: Float64Array;
  /** Lower triangle of G, C = G Gᵀ, row by row. */
  readonly factor: Float64Array;
  /** Σ log G_ii */
  readonly logDeterminant: number;
}

/** Classes without examples have none. */
export type ClassGaussians = readonly ClassGaussian[];

/** Added to every variance (features are on the scale 0–1), for cells that are black in every image. */
const FLOOR = 1e-3;

/**
 * C_k = (S_k + d W) / (n_k + d) + FLOOR · 1, with S_k the scatter of class k's n_k rows, W the within-class scatter of all
 * classes divided by the number of rows, and d the number of features: a class with few rows takes its shape from the
 * others (Friedman 1989, Regularized Discriminant Analysis).
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
  const scatters = Array.from({ length: classes }, () => new Float64Array((d * (d + 1)) / 2));
  const within = new Float64Array((d * (d + 1)) / 2);
  const centred = new Float64Array(d);
  for (const [n, label] of labels.entries()) {
    for (let i = 0; i < d; i++) centred[i] = rows[n * d + i]! - means[label]![i]!;
    const scatter = scatters[label]!;
    for (let i = 0, at = 0; i < d; i++)
      for (let j = 0; j <= i; j++) scatter[at++]! += centred[i]! * centred[j]!;
  }
  for (const scatter of scatters)
    for (const [at, sum] of scatter.entries()) within[at]! += sum / labels.length;
  return means.flatMap((mean, k) => {
    if (counts[k] === 0) return [];
    const factor = scatters[k]!.map((sum, at) => (sum + d * within[at]!) / (counts[k]! + d));
    for (let i = 0; i < d; i++) factor[diagonal(i)]! += FLOOR;
    factorize(factor, d);
    let logDeterminant = 0;
    for (let i = 0; i < d; i++) logDeterminant += Math.log(factor[diagonal(i)]!);
    return [{ mean, factor, logDeterminant }];
  });
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
