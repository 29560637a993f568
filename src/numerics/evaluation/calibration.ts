/**
 * Calibration: confidence compared with accuracy.
 * Guo et al. 2017, On Calibration of Modern Neural Networks.
 */
import type { Predictions } from './predictions.ts';

const BINS = 15;

export interface CalibrationBin {
  /** The bin holds confidences c with from < c ≤ to; the first bin also holds c = 0. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean confidence and fraction of correct predictions; null if the bin is empty. */
  readonly confidence: number | null;
  readonly accuracy: number | null;
}

export interface Calibration {
  /** ECE = Σ_b (n_b / n) |accuracy_b − confidence_b| */
  readonly expectedError: number;
  /** 15 bins of equal width. */
  readonly bins: readonly CalibrationBin[];
}

export function calibration({ labels, predicted, confidences }: Omit<Predictions, 'losses'>): Calibration {
  const counts = new Float64Array(BINS);
  const sums = new Float64Array(BINS);
  const correct = new Float64Array(BINS);
  for (let n = 0; n < labels.length; n++) {
    // 15 times a float32 is exact in float64, so no confidence falls on the wrong side of an edge.
    const bin = Math.max(0, Math.min(BINS, Math.ceil(confidences[n]! * BINS)) - 1);
    counts[bin]!++;
    sums[bin]! += confidences[n]!;
    if (predicted[n] === labels[n]) correct[bin]!++;
  }
  let error = 0;
  for (let b = 0; b < BINS; b++) error += Math.abs(correct[b]! - sums[b]!);
  return {
    expectedError: error / labels.length,
    bins: Array.from(counts, (count, b) => ({
      from: b / BINS,
      to: (b + 1) / BINS,
      count,
      confidence: count === 0 ? null : sums[b]! / count,
      accuracy: count === 0 ? null : correct[b]! / count,
    })),
  };
}
