/** Counts of predicted classes, of their probabilities and of findings, for metrics. */
import type { Diagnosis } from '../domain/predictions/diagnosis.ts';
import type { JudgementTally } from '../numerics/calibration/judge.ts';

type FindingCode = Diagnosis['findings'][number]['code'];

/** Upper bounds of the buckets in which the highest probability of each image is counted. */
export const TOP_PROBABILITY_BOUNDS = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999] as const;

export interface DiagnosisTally {
  readonly images: number;
  readonly findings: Readonly<Partial<Record<FindingCode, number>>>;
}

/** The outputs of one request. Images with undefined probabilities are not counted. */
export interface PredictionTally {
  /** Number of images by predicted class. */
  readonly classes: readonly number[];
  /** Number of images by bucket of their highest probability; the last bucket is above all bounds. */
  readonly buckets: readonly number[];
  /** Sum of the highest probabilities. */
  readonly probabilitySum: number;
  /** null without `?diagnose` */
  readonly diagnosed: DiagnosisTally | null;
  /** null without a coverage */
  readonly judged: JudgementTally | null;
}

/**
 * Runs where the outputs were computed, so a large batch is counted in the predict thread.
 * @param probabilities n × classes, row-major
 * @param diagnoses one per image
 * @param judged with a coverage
 */
export function tallyPredictions(
  probabilities: Float32Array,
  classes: number,
  diagnoses: readonly Diagnosis[] | null = null,
  judged: JudgementTally | null = null,
): PredictionTally {
  // Plain loops, because this runs for every request.
  const byClass: number[] = [];
  for (let k = 0; k < classes; k++) byClass.push(0);
  const buckets: number[] = [0];
  for (let b = 0; b < TOP_PROBABILITY_BOUNDS.length; b++) buckets.push(0);
  let probabilitySum = 0;
  for (let start = 0; start < probabilities.length; start += classes) {
    let label = 0;
    let probability = probabilities[start]!;
    for (let k = 1; k < classes; k++) {
      const other = probabilities[start + k]!;
      if (other > probability) {
        probability = other;
        label = k;
      }
    }
    if (Number.isNaN(probability)) continue;
    byClass[label]! += 1;
    probabilitySum += probability;
    // From above, because most are high; the first bucket has no bound below.
    let bucket: number = TOP_PROBABILITY_BOUNDS.length;
    while (probability <= TOP_PROBABILITY_BOUNDS[bucket - 1]!) bucket--;
    buckets[bucket]! += 1;
  }
  const diagnosed = diagnoses && tallyDiagnoses(diagnoses);
  return { classes: byClass, buckets, probabilitySum, diagnosed, judged };
}

/** The tally of all images of a request that were counted in blocks, at least one; without diagnoses and judgements. */
export function addTallies(blocks: readonly PredictionTally[]): PredictionTally {
  return blocks.reduce((sum, block) => ({
    classes: sum.classes.map((count, k) => count + block.classes[k]!),
    buckets: sum.buckets.map((count, b) => count + block.buckets[b]!),
    probabilitySum: sum.probabilitySum + block.probabilitySum,
    diagnosed: null,
    judged: null,
  }));
}

export function tallyDiagnoses(diagnoses: readonly Diagnosis[]): DiagnosisTally {
  const findings: Partial<Record<FindingCode, number>> = {};
  for (const diagnosis of diagnoses) {
    for (const { code } of diagnosis.findings) findings[code] = (findings[code] ?? 0) + 1;
  }
  return { images: diagnoses.length, findings };
}
