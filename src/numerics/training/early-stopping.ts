/** Early stopping: detects that a training no longer improves, and tracks its best epoch. */

export interface EarlyStopping {
  readonly monitor: 'validationLoss' | 'validationAccuracy';
  /** Epochs without improvement after which the training stops, from 1. */
  readonly patience: number;
  /** A change counts as an improvement if it is greater than this. */
  readonly minDelta: number;
  /** Whether the final parameters come from the best epoch, unless the training ends by reaching its target. */
  readonly restoreBest: boolean;
}

/** The state of early stopping. Higher scores are better. */
export interface StoppingState {
  /** The last score that counted as an improvement. */
  readonly level: number;
  /** Epochs since that improvement. */
  readonly badEpochs: number;
  /** The highest score, including improvements below `minDelta`, and the first epoch that reached it. */
  readonly best: number;
  readonly bestEpoch: number | null;
}

export const INITIAL_STOPPING: StoppingState = {
  level: Number.NEGATIVE_INFINITY,
  badEpochs: 0,
  best: Number.NEGATIVE_INFINITY,
  bestEpoch: null,
};

/** The state after an epoch. NaN is not an improvement. */
export function updateStopping(
  state: StoppingState,
  { monitor, minDelta }: EarlyStopping,
  epoch: number,
  measured: { readonly validationLoss: number | null; readonly validationAccuracy: number | null },
): StoppingState {
  const value = measured[monitor] ?? Number.NaN;
  const score = monitor === 'validationLoss' ? -value : value;
  const improves = score > state.level + minDelta;
  const isBest = score > state.best;
  return {
    level: improves ? score : state.level,
    badEpochs: improves ? 0 : state.badEpochs + 1,
    best: isBest ? score : state.best,
    bestEpoch: isBest ? epoch : state.bestEpoch,
  };
}
