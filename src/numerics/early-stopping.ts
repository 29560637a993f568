/** When a training has stopped improving, and which of its epochs was the best. */

export interface EarlyStopping {
  readonly monitor: 'validationLoss' | 'validationAccuracy';
  /** Epochs without improvement after which it stops, from 1. */
  readonly patience: number;
  /** What does not improve the best by more than this is no improvement. */
  readonly minDelta: number;
  /** Whether the final parameters are those of the best epoch, however the training ends. */
  readonly restoreBest: boolean;
}

/** All that early stopping remembers. Scores are better the higher they are. */
export interface StoppingState {
  /** The last score that counted as an improvement. */
  readonly level: number;
  /** Epochs since then. */
  readonly badEpochs: number;
  /** The highest score, however little it improved, and the first epoch that had it. */
  readonly best: number;
  readonly bestEpoch: number | null;
}

export const INITIAL_STOPPING: StoppingState = {
  level: Number.NEGATIVE_INFINITY,
  badEpochs: 0,
  best: Number.NEGATIVE_INFINITY,
  bestEpoch: null,
};

/** A score that is not a number is no improvement. */
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
