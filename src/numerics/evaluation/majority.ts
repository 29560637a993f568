/** The accuracy of always predicting the largest class: a network that has learned exceeds it. */

/** With fewer images, two standard errors would be too much to ask for. */
const MANY = 100;

export interface MajorityBaseline {
  readonly examples: number;
  /** Fraction of the largest class. */
  readonly majority: number;
  /** Accuracy that a network that has learned exceeds. */
  readonly threshold: number;
}

/**
 * With m the fraction of the largest class, the threshold is m + 2 √(m (1 − m) / n), two standard errors above m, and m
 * itself with fewer than 100 images.
 * @param counts number of images of each class; at least one image
 */
export function majorityBaseline(counts: Uint32Array): MajorityBaseline {
  const examples = counts.reduce((sum, count) => sum + count, 0);
  const majority = Math.max(...counts) / examples;
  const margin = examples < MANY ? 0 : 2 * Math.sqrt((majority * (1 - majority)) / examples);
  return { examples, majority, threshold: majority + margin };
}
