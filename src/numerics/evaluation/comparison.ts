/** Comparison of two networks on the same images. */

import { type McNemarTest, mcnemar } from './mcnemar.ts';
import type { Predictions } from './predictions.ts';

/** Numbers of images by correctness (1 or 0) of both networks: n10 counts those correct in the first only. */
export interface PairCounts {
  readonly n00: number;
  readonly n01: number;
  readonly n10: number;
  readonly n11: number;
}

/** An image that the two networks classify differently. */
export interface Difference {
  readonly index: number;
  readonly label: number;
  readonly first: number;
  readonly second: number;
}

export interface Comparison {
  readonly examples: number;
  readonly counts: PairCounts;
  readonly mcnemar: McNemarTest;
  /** Per class: number of images, and of correct predictions of each network. */
  readonly classes: readonly { readonly support: number; readonly first: number; readonly second: number }[];
  /** The total, and the first ones in ascending order. */
  readonly differences: { readonly total: number; readonly first: readonly Difference[] };
}

const MAX_DIFFERENCES = 100;

/** @throws RangeError when the numbers of predictions differ, or are 0 */
export function comparePredictions(first: Predictions, second: Predictions, classes: number): Comparison {
  const { labels } = first;
  if (labels.length === 0 || second.labels.length !== labels.length) {
    throw new RangeError(`${labels.length} and ${second.labels.length} predictions cannot be compared.`);
  }
  const counts = { n00: 0, n01: 0, n10: 0, n11: 0 };
  const perClass = Array.from({ length: classes }, () => ({ support: 0, first: 0, second: 0 }));
  const differences: Difference[] = [];
  let total = 0;
  for (let n = 0; n < labels.length; n++) {
    const [label, one, other] = [labels[n]!, first.predicted[n]!, second.predicted[n]!];
    const counted = perClass[label]!;
    counted.support++;
    if (one === label) counted.first++;
    if (other === label) counted.second++;
    counts[`n${one === label ? 1 : 0}${other === label ? 1 : 0}`]++;
    if (one !== other && total++ < MAX_DIFFERENCES) {
      differences.push({ index: n, label, first: one, second: other });
    }
  }
  return {
    examples: labels.length,
    counts,
    mcnemar: mcnemar(counts.n10, counts.n01),
    classes: perClass,
    differences: { total, first: differences },
  };
}
