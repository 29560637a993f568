/** Rungs of successive halving: the epochs after which trials are compared, and the epochs that a search trains. */
import type { SearchRequest } from './request.ts';

type Halving = NonNullable<SearchRequest['halving']>;

/** Ascending; the last one is the end of the training. Without halving, the end alone. */
export function rungEpochs(halving: Halving | null, epochs: number): number[] {
  const rungs: number[] = [];
  if (halving !== null) {
    for (let at = halving.minEpochs; at < epochs; at *= halving.factor) rungs.push(at);
  }
  return [...rungs, epochs];
}

/** Number of trials that continue of those that reached a rung. */
export function continuing(trials: number, factor: number): number {
  return Math.max(1, Math.floor(trials / factor));
}

/**
 * Epochs that a search trains at most, without its final training.
 * @param epochs of each trial, in their order; all equal with halving
 */
export function plannedEpochs(
  epochs: readonly number[],
  { halving, repeats }: Pick<SearchRequest, 'halving' | 'repeats'>,
): number {
  if (halving === null) return repeats * epochs.reduce((sum, each) => sum + each, 0);
  let [total, reached, trials] = [0, 0, epochs.length];
  for (const rung of rungEpochs(halving, epochs[0] ?? 0)) {
    total += trials * (rung - reached);
    reached = rung;
    trials = continuing(trials, halving.factor);
  }
  return repeats * total;
}

/** The largest number of first trials that a budget of epochs allows. */
export function trialsWithin(
  budget: number,
  epochs: readonly number[],
  options: Pick<SearchRequest, 'halving' | 'repeats'>,
): number {
  let trials = epochs.length;
  while (trials > 0 && plannedEpochs(epochs.slice(0, trials), options) > budget) trials--;
  return trials;
}
