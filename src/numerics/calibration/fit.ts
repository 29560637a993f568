/** Calibration of a network on images that it was not trained on. */
import { calibration as reliability } from '../evaluation/calibration.ts';
import { argmax } from '../reference/cross-entropy.ts';
import { sortTrueProbabilities } from './conformal.ts';
import { fitOutliers, type Observed, type OutlierModel } from './outliers.ts';
import { fitTemperature, temperedProbabilities } from './temperature.ts';

/** The data that predictions with a guarantee need beside the network. */
export interface Calibration {
  /** Divisor of the logits. */
  readonly temperature: number;
  /** Probability of the true class of each calibration image, largest first. */
  readonly trueProbabilities: Float32Array;
  readonly outliers: OutlierModel;
}

interface Change {
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
  labels: Uint8Array,
  inputs: number,
  classes: number,
): { readonly calibration: Calibration; readonly figures: CalibrationFigures } {
  const { logits } = observed;
  const { temperature, loss } = fitTemperature(logits, labels, classes);
  const tempered = temperedProbabilities(logits, classes, temperature);
  return {
    calibration: {
      temperature,
      trueProbabilities: sortTrueProbabilities(probabilities, labels, classes),
      outliers: fitOutliers(training, observed, inputs, classes),
    },
    figures: {
      images: labels.length,
      trainingImages: training.pixels.length / inputs,
      temperature,
      loss,
      expectedCalibrationError: {
        before: expectedError(probabilities, labels, classes),
        after: expectedError(tempered, labels, classes),
      },
    },
  };
}

function expectedError(probabilities: Float32Array, labels: Uint8Array, classes: number): number {
  const rows = Array.from(labels, (_, n) => probabilities.subarray(n * classes, (n + 1) * classes));
  const predicted = Uint8Array.from(rows, argmax);
  const confidences = Float32Array.from(rows, (row, n) => row[predicted[n]!]!);
  return reliability({ labels, predicted, confidences }).expectedError;
}
