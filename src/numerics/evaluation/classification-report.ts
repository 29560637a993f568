/** Classification report: metrics overall and per class, with scikit-learn's conventions. */

import { type Calibration, calibration } from './calibration.ts';
import type { Predictions } from './predictions.ts';
import { wilsonInterval } from './wilson-interval.ts';

/** Each score is 0 if it would be 0 / 0. */
export interface ClassScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** An image with the probability of its predicted class. */
export interface ClassifiedImage {
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  readonly probability: number;
}

/** A cell of the confusion matrix: images of the class `label` that are classified as `predicted`. */
export interface ConfusionCell {
  readonly label: number;
  readonly predicted: number;
}

/** A frequent mistake: a cell of the confusion matrix outside its diagonal. */
export interface Confusion extends ConfusionCell {
  readonly count: number;
  /** `count` divided by the images of the class. */
  readonly fraction: number;
}

export interface ClassificationReport {
  readonly examples: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
  readonly accuracy: number;
  /** 95 % interval of the accuracy, by Wilson's score. */
  readonly interval: { readonly low: number; readonly high: number };
  /** classes × classes: rows are labels, columns predicted classes. null with more than MAX_MATRIX_CLASSES. */
  readonly confusion: readonly (readonly number[])[] | null;
  /** The most frequent confusions, by descending count, then by descending fraction. */
  readonly confusions: readonly Confusion[];
  readonly classes: readonly (ClassScores & { readonly support: number })[];
  /** Unweighted means over all classes, including those without examples. */
  readonly macro: ClassScores;
  readonly calibration: Calibration;
  /** Sorted by descending probability, then by index. */
  readonly mistakes: readonly ClassifiedImage[];
  /** The images of the requested cell, sorted like the mistakes; null without one. */
  readonly images: readonly ClassifiedImage[] | null;
}

/** A larger matrix would make a report of megabytes, almost all of them zeros. */
export const MAX_MATRIX_CLASSES = 100;
export const MAX_CONFUSIONS = 50;
const MAX_MISTAKES = 20;
const MAX_CELL_IMAGES = 100;

/**
 * @param cell cell of the confusion matrix whose images are listed
 * @throws RangeError without predictions: the means would be 0 / 0
 */
export function classificationReport(
  predictions: Predictions,
  classes: number,
  cell: ConfusionCell | null = null,
): ClassificationReport {
  const { labels, predicted } = predictions;
  const examples = labels.length;
  if (examples === 0) throw new RangeError('A report needs at least one example.');
  const confusion = confusionMatrix(predictions, classes);
  const scores = confusion.map((_, label) => classScores(confusion, label));
  const correct = confusion.reduce((sum, row, label) => sum + row[label]!, 0);
  const mean = (part: keyof ClassScores) => scores.reduce((sum, each) => sum + each[part], 0) / classes;
  return {
    examples,
    loss: predictions.losses.reduce((sum, loss) => sum + loss, 0) / examples,
    accuracy: correct / examples,
    interval: wilsonInterval(correct, examples),
    confusion: classes <= MAX_MATRIX_CLASSES ? confusion : null,
    confusions: mostFrequent(confusion, scores),
    classes: scores,
    macro: { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') },
    calibration: calibration(predictions),
    mistakes: mostConfident(predictions, MAX_MISTAKES, (n) => predicted[n] !== labels[n]),
    images:
      cell &&
      mostConfident(
        predictions,
        MAX_CELL_IMAGES,
        (n) => labels[n] === cell.label && predicted[n] === cell.predicted,
      ),
  };
}

function confusionMatrix({ labels, predicted }: Predictions, classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let n = 0; n < labels.length; n++) matrix[labels[n]!]![predicted[n]!]!++;
  return matrix;
}

function mostFrequent(
  confusion: readonly number[][],
  scores: readonly { readonly support: number }[],
): Confusion[] {
  const confusions: Confusion[] = [];
  for (const [label, row] of confusion.entries()) {
    for (const [predicted, count] of row.entries()) {
      if (count === 0 || predicted === label) continue;
      confusions.push({ label, predicted, count, fraction: count / scores[label]!.support });
    }
  }
  return confusions.sort((a, b) => b.count - a.count || b.fraction - a.fraction).slice(0, MAX_CONFUSIONS);
}

/** precision = correct / predicted, recall = correct / support, F1 = 2 correct / (predicted + support) */
function classScores(confusion: readonly number[][], label: number): ClassScores & { support: number } {
  const correct = confusion[label]![label]!;
  const support = confusion[label]!.reduce((sum, count) => sum + count, 0);
  const predicted = confusion.reduce((sum, row) => sum + row[label]!, 0);
  const fraction = (of: number) => (of === 0 ? 0 : correct / of);
  return {
    precision: fraction(predicted),
    recall: fraction(support),
    f1: fraction((predicted + support) / 2),
    support,
  };
}

/** The `count` images with the highest probabilities among those that `isListed` selects. */
function mostConfident(
  { labels, predicted, confidences }: Predictions,
  count: number,
  isListed: (n: number) => boolean,
): ClassifiedImage[] {
  const listed: number[] = [];
  for (let n = 0; n < labels.length; n++) if (isListed(n)) listed.push(n);
  return listed
    .sort((a, b) => confidences[b]! - confidences[a]! || a - b)
    .slice(0, count)
    .map((index) => ({
      index,
      label: labels[index]!,
      predicted: predicted[index]!,
      probability: confidences[index]!,
    }));
}
