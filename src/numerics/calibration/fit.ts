/** Calibration of a network on images that it was not trained on. */

import { calibration as reliability } from '../evaluation/calibration.ts';
import type { Labels } from '../examples/labels.ts';
import { argmax } from '../reference/cross-entropy.ts';
import { leastProbability, sortTrueProbabilities } from './conformal.ts';
import { countBelow } from './neighbours.ts';
import { fitOutliers, type Observed, type OutlierModel, usualFraction } from './outliers.ts';
import { fitTemperature, temperedProbabilities } from './temperature.ts';

/** The data that predictions with a guarantee need beside the network. */
export interface Calibration {
  /** Divisor of the logits. */
  readonly temperature: number;
  /** Probability of the true class of each calibration image, largest first. */
  readonly trueProbabilities: Float32Array;
  /** The highest and the second highest probability of each calibration image; each ascending */
  readonly highest: Float32Array;
  readonly second: Float32Array;
  readonly outliers: OutlierModel;
}

export interface Change {
  readonly before: number;
  readonly after: number;
}

/** Figures of the calibration images, before and after their logits are divided by the temperature. */
export interface CalibrationFigures {
  readonly images: number;
  readonly trainingImages: number;
  readonly temperature: number;
  readonly loss: Change;
  readonly expectedCalibrationError: Change;
}

/** Fewer images do not show which scores are rare. */
export const MIN_CALIBRATION_IMAGES = 100;
/** Limit of the calibration images, and of the training images that an image is compared with. */
export const MAX_CALIBRATION_IMAGES = 10_000;
export const MAX_TRAINING_IMAGES = 5_000;

/**
 * @param training images of the training, at least one
 * @param observed images that are not among them, at least MIN_CALIBRATION_IMAGES, with finite logits
 * @param probabilities n × classes, of `observed`
 * @param inputs values of an image
 */
export function fitCalibration(
  training: Omit<Observed, 'logits'>,
  observed: Observed,
  probabilities: Float32Array,
  labels: Labels,
  inputs: number,
  classes: number,
): { readonly calibration: Calibration; readonly figures: CalibrationFigures } {
  const { logits } = observed;
  const { temperature, loss } = fitTemperature(logits, labels, classes);
  return {
    calibration: {
      temperature,
      trueProbabilities: sortTrueProbabilities(probabilities, labels, classes),
      ...sortHighest(probabilities, classes),
      outliers: fitOutliers(training, observed, inputs, classes),
    },
    figures: {
      images: labels.length,
      trainingImages: training.pixels.length / inputs,
      temperature,
      loss,
      expectedCalibrationError: changeOfError(logits, probabilities, labels, temperature),
    },
  };
}

/**
 * Fraction of the calibration images whose set does not have exactly one class or that are outliers, as if one did not depend on
 * the other.
 */
export function expectedUnsure(
  { trueProbabilities, highest, second }: Omit<Calibration, 'temperature' | 'outliers'>,
  coverage: number,
): number {
  const least = leastProbability(trueProbabilities, coverage);
  const single = (countBelow(second, least) - countBelow(highest, least)) / highest.length;
  return 1 - single * usualFraction(coverage);
}

/** @param probabilities n × classes */
export function sortHighest(
  probabilities: Float32Array,
  classes: number,
): Pick<Calibration, 'highest' | 'second'> {
  const count = probabilities.length / classes;
  const [highest, second] = [new Float32Array(count), new Float32Array(count)];
  for (let n = 0; n < count; n++) {
    const sorted = probabilities.slice(n * classes, (n + 1) * classes).sort();
    highest[n] = sorted[classes - 1]!;
    second[n] = sorted[classes - 2]!;
  }
  return { highest: highest.sort(), second: second.sort() };
}

/** Expected calibration error with T = 1 and with the temperature. @param probabilities n × classes, softmax of the logits */
export function changeOfError(
  logits: Float32Array,
  probabilities: Float32Array,
  labels: Labels,
  temperature: number,
): Change {
  const classes = logits.length / labels.length;
  const tempered = temperedProbabilities(logits, classes, temperature);
  return {
    before: expectedError(probabilities, labels, classes),
    after: expectedError(tempered, labels, classes),
  };
}

/** Expected calibration error. @param probabilities n × classes */
function expectedError(probabilities: Float32Array, labels: Labels, classes: number): number {
  const rows = Array.from(labels, (_, n) => probabilities.subarray(n * classes, (n + 1) * classes));
  const predicted = Uint8Array.from(rows, argmax);
  const confidences = Float32Array.from(rows, (row, n) => row[predicted[n]!]!);
  return reliability({ labels, predicted, confidences }).expectedError;
}
