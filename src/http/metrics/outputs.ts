/** Sums of the predicted classes and probabilities of one model version. */
import { type PredictionTally, TOP_PROBABILITY_BOUNDS } from '../../protocols/prediction-tally.ts';

/** Label of the classes, models and versions that are counted together. It is not a valid model name. */
export const FURTHER = '_further';

export interface OutputTotals {
  /** Number of images by class. */
  readonly classes: number[];
  /** Number of images of all classes without a label of their own. */
  further: number;
  /** Number of images by their top probability, in the buckets of `PredictionTally`. */
  readonly buckets: number[];
  probabilitySum: number;
}

/** @param labelled number of classes with a label of their own */
export function noOutputs(labelled: number): OutputTotals {
  return {
    classes: Array.from({ length: labelled }, () => 0),
    further: 0,
    buckets: Array.from({ length: TOP_PROBABILITY_BOUNDS.length + 1 }, () => 0),
    probabilitySum: 0,
  };
}

export function addTally(totals: OutputTotals, { classes, buckets, probabilitySum }: PredictionTally): void {
  const labelled = totals.classes.length;
  for (let k = 0; k < classes.length; k++) {
    if (k < labelled) totals.classes[k]! += classes[k]!;
    else totals.further += classes[k]!;
  }
  for (let b = 0; b < buckets.length; b++) totals.buckets[b]! += buckets[b]!;
  totals.probabilitySum += probabilitySum;
}

/** Label and count of each class, with the classes that have no label of their own at the end, if there are any. */
export function countsByClass({ classes, further }: OutputTotals): [label: string, images: number][] {
  const counts = classes.map((images, k): [string, number] => [String(k), images]);
  return further > 0 ? [...counts, [FURTHER, further]] : counts;
}
