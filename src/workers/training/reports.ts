/** Reports of a training run to the main thread: finished epochs, and progress, each about once a second. */
import type { FinishedEpoch, Progress } from '../../domain/jobs/epoch-record.ts';
import type { PostReport } from './messages.ts';

/**
 * Minimum interval between reports of progress or epochs. Shorter epochs are posted together, because storing a report takes
 * the main thread a millisecond or more, while predictions are waiting.
 */
const REPORT_INTERVAL_MS = 1000;
/** Limit of epochs that are posted together, because a statement of a database has a limited number of parameters. */
const MAX_EPOCHS_AT_ONCE = 100;

/** Epochs that are not posted yet. */
interface Pending {
  readonly epochs: FinishedEpoch[];
  /** Progress at the end of the last epoch. */
  progress: Progress;
  /** When the first epoch ended. */
  readonly firstEndedAt: number;
}

export function createTrainingReports(postNow: PostReport) {
  // The first epoch is posted at once, the first progress after an interval.
  let lastEpochsAt = Number.NEGATIVE_INFINITY;
  let lastProgressAt = performance.now();
  /** Step of the progress that was reported last. */
  let lastStep = 0;
  let pending: Pending | null = null;

  function postPending(): void {
    if (pending === null) return;
    const { epochs, progress } = pending;
    pending = null;
    lastEpochsAt = performance.now();
    // With several epochs, the main thread also stores an event of progress. The event of a single epoch says as much itself.
    if (epochs.length > 1) {
      lastProgressAt = lastEpochsAt;
      lastStep = progress.step;
    }
    postNow({ kind: 'epochs', epochs, progress });
  }

  function postProgress(progress: Progress): void {
    lastStep = progress.step;
    postNow({ kind: 'progress', progress });
  }

  const post: PostReport = (message, transfer) => {
    postPending();
    postNow(message, transfer);
  };

  return {
    /** Posts a report at once, after the finished epochs that are not posted yet. */
    post,
    /** Posts the finished epochs that are not posted yet. */
    flush: postPending,
    /**
     * @param now from `performance.now()`
     * @param progress returns the progress after the step; called only if a report is due
     */
    afterStep(now: number, progress: () => Progress): void {
      // Progress would overtake pending epochs. A long step may follow short epochs, so time counts from the first of them.
      if (pending !== null) {
        if (now - pending.firstEndedAt >= REPORT_INTERVAL_MS) postPending();
      } else if (now - lastProgressAt >= REPORT_INTERVAL_MS) {
        lastProgressAt = now;
        postProgress(progress());
      }
    },
    /** @param progress at the end of the epoch */
    afterEpoch(now: number, epoch: FinishedEpoch, progress: Progress): void {
      pending ??= { epochs: [], progress, firstEndedAt: now };
      pending.epochs.push(epoch);
      pending.progress = progress;
      const isDue = now - lastEpochsAt >= REPORT_INTERVAL_MS;
      if (isDue || pending.epochs.length === MAX_EPOCHS_AT_ONCE) postPending();
    },
    /** Posts finished epochs, then the progress, unless progress of the same step was posted last. */
    afterStop(progress: Progress): void {
      postPending();
      if (progress.step !== lastStep) postProgress(progress);
    },
  };
}
