/** Checkpoint schedule of a training run: at intervals, at epoch ends, for the best epoch. */
import { selectionLoss } from '../../domain/training/selection-loss.ts';
import type { EpochEnd } from '../../numerics/training/loop-events.ts';
import { type CheckpointBytes, CONTROL, type PostReport, type TrainingTask } from './messages.ts';

/** Minimum interval between checkpoints at the ends of epochs. */
const EPOCH_CHECKPOINT_INTERVAL_MS = 1000;

/** @param take takes a checkpoint of the current state; `loss` is null except at the end of an epoch */
export function createCheckpointSchedule(
  { control, checkpointEverySeconds }: Pick<TrainingTask, 'control' | 'checkpointEverySeconds'>,
  take: (loss: number | null) => CheckpointBytes,
  post: PostReport,
) {
  let lastCheckpointAt = performance.now();
  let bestLoss = Number.POSITIVE_INFINITY;
  /** Checkpoint of the best epoch since the start of this run, if it came too soon after another one to be posted. */
  let pendingBest: CheckpointBytes | null = null;

  /** Whether a checkpoint is due and none is pending. Sets `checkpointPending`, so that they do not pile up. */
  function claimIfDue(now: number, intervalMs: number): boolean {
    if (now - lastCheckpointAt < intervalMs) return false;
    return Atomics.compareExchange(control, CONTROL.checkpointPending, 0, 1) === 0;
  }

  function postCheckpoint(checkpoint: CheckpointBytes): void {
    post({ kind: 'checkpoint', ...checkpoint }, [checkpoint.bytes]);
  }

  function postPendingBest(): void {
    if (pendingBest) postCheckpoint(pendingBest);
    pendingBest = null;
  }

  function postNow(checkpoint: CheckpointBytes): void {
    lastCheckpointAt = performance.now();
    postPendingBest();
    postCheckpoint(checkpoint);
  }

  return {
    afterStep(now: number): void {
      if (claimIfDue(now, checkpointEverySeconds * 1000)) postNow(take(null));
    },
    afterEpoch(end: EpochEnd, now: number): void {
      const loss = selectionLoss(end.metrics);
      const isBest = loss < bestLoss;
      if (isBest) {
        bestLoss = loss;
        pendingBest = null;
      }
      if (end.isLast || claimIfDue(now, EPOCH_CHECKPOINT_INTERVAL_MS)) postNow(take(loss));
      else if (isBest) pendingBest = take(loss);
    },
    /** Posts the checkpoint of the best epoch if it is still pending. */
    postPendingBest,
  };
}
