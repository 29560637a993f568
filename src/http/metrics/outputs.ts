/** Counts of the predicted classes of one model version, and of their probabilities. */
import { addJudgements, type JudgementTally } from '../../numerics/calibration/judge.ts';
import { type PredictionTally, TOP_PROBABILITY_BOUNDS } from '../../protocols/prediction-tally.ts';

/** Value of the label of all classes, models and versions beyond the limit of time series. No model can have this name. */
export const FURTHER = '_further';

export interface OutputTotals {
  /** Number of images by class. */
  readonly classes: number[];
  /** Number of images of all classes beyond the limit, which share the label FURTHER. */
  further: number;
  /** Number of images by their top probability, in the buckets of `PredictionTally`. */
  readonly buckets: number[];
  probabilitySum: number;
  /** null before the first prediction with a coverage */
  judged: JudgementTally | null;
}

/** @param separateClasses number of classes that are counted separately */
export function emptyTotals(separateClasses: number): OutputTotals {
  return {
    classes: Array.from({ length: separateClasses }, () => 0),
    further: 0,
    buckets: Array.from({ length: TOP_PROBABILITY_BOUNDS.length + 1 }, () => 0),
    probabilitySum: 0,
    judged: null,
  };
}

export function addTally(totals: OutputTotals, tally: PredictionTally): void {
  const { classes, buckets, probabilitySum, judged } = tally;
  const separateClasses = totals.classes.length;
  for (let k = 0; k < classes.length; k++) {
    if (k < separateClasses) totals.classes[k]! += classes[k]!;
    else totals.further += classes[k]!;
  }
  for (let b = 0; b < buckets.length; b++) totals.buckets[b]! += buckets[b]!;
  totals.probabilitySum += probabilitySum;
  if (judged !== null) addJudged(totals, judged);
}

export function addJudged(totals: OutputTotals, judged: JudgementTally): void {
  totals.judged = totals.judged === null ? judged : addJudgements(totals.judged, judged);
}

/** Label and count of each class; FURTHER comes last, and only once it has images. */
export function countsByClass({ classes, further }: OutputTotals): [label: string, images: number][] {
  const counts = classes.map((images, k): [string, number] => [String(k), images]);
  return further > 0 ? [...counts, [FURTHER, further]] : counts;
}
