/** Coverage: how often the sets of a calibration contain the true class, and what they cost, on labelled images. */
import type { Labels } from '../examples/labels.ts';
import { leastProbability } from './conformal.ts';
import { type Calibration, type Change, changeOfError } from './fit.ts';
import { judgeSets } from './judge.ts';

/** Coverages that are measured. */
export const MEASURED_COVERAGES = [0.8, 0.9, 0.95, 0.99] as const;

export interface CoverageLevel {
  /** The coverage that the sets are made for. */
  readonly coverage: number;
  /** Fraction of the images whose set contains the true class. */
  readonly measured: number;
  /** Mean number of classes of a set. */
  readonly meanSize: number;
  /** Fraction of the images whose prediction is unsure. */
  readonly unsure: number;
  /** Fraction of the sure predictions that are correct; null if none is sure. */
  readonly sureAccuracy: number | null;
}

export interface CoverageReport {
  readonly examples: number;
  readonly levels: readonly CoverageLevel[];
  /** The error on the images, without and with the temperature. */
  readonly expectedCalibrationError: Change;
}

/**
 * @param logits n × classes
 * @param probabilities n × classes, their softmax
 * @param outliersAt whether each image is an outlier at a coverage, by `findOutliers`
 * @param labels n, at least one
 */
export function measureCoverage(
  { trueProbabilities, temperature }: Pick<Calibration, 'trueProbabilities' | 'temperature'>,
  logits: Float32Array,
  probabilities: Float32Array,
  outliersAt: (coverage: number) => readonly boolean[],
  labels: Labels,
): CoverageReport {
  const examples = labels.length;
  const classes = logits.length / examples;
  const levels = MEASURED_COVERAGES.map((coverage): CoverageLevel => {
    const least = leastProbability(trueProbabilities, coverage);
    const { sets, reasons } = judgeSets(least, probabilities, outliersAt(coverage));
    let [covered, sure, correct] = [0, 0, 0];
    for (const [n, label] of labels.entries()) {
      const isCovered = sets[n * classes + label]!;
      covered += isCovered;
      if (reasons[n] !== null) continue;
      sure++;
      correct += isCovered;
    }
    return {
      coverage,
      measured: covered / examples,
      meanSize: sets.reduce((sum, member) => sum + member, 0) / examples,
      unsure: (examples - sure) / examples,
      sureAccuracy: sure === 0 ? null : correct / sure,
    };
  });
  return {
    examples,
    levels,
    expectedCalibrationError: changeOfError(logits, probabilities, labels, temperature),
  };
}
