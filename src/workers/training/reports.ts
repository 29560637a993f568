/** Reports of a training run to the main thread: finished epochs, and the progress between them, at most once a second. */
import type { FinishedEpoch, Progress } from '../../domain/jobs/epoch-record.ts';
import type { PostReport } from './messages.ts';

/**
 * Minimum interval between reports of progress or epochs. Shorter epochs are posted together, because storing a report takes
 * the main thread a millisecond or more, while predictions are waiting.
 */
const REPORT_INTERVAL_MS = 1000;
/** Limit of epochs that are posted together, because a statement of a database has a limited number of parameters. */
const MAX_EPOCHS_AT_ONCE = 100;

export interface TrainingReports {
  /** Posts a report at once. It does not overtake finished epochs. */
  readonly post: PostReport;
  /** Posts the finished epochs that are not posted yet. */
  flush(): void;
  /** @param progress after the step; called only if a report is due */
  afterStep(now: number, progress: () => Progress): void;
  /** @param progress at the end of the epoch */
  afterEpoch(now: number, epoch: FinishedEpoch, progress: Progress): void;
  /** Posts the progress at once, unless this step's has been posted. */
  progress(progress: Progress): void;
}

/** Epochs that are not posted yet. */
interface Pending {
  readonly epochs: FinishedEpoch[];
  /** At the end of the last one. */
  progress: Progress;
  /** End of the first one. */
  readonly since: number;
}

export function createTrainingReports(postNow: PostReport): TrainingReports {
  let lastProgressAt = performance.now();
  let lastEpochsAt = Number.NEGATIVE_INFINITY;
  /** Step of the last event of progress. */
  let lastStep = 0;
  let pending: Pending | null = null;

  function postPending(): void {
    if (pending === null) return;
    const { epochs, progress } = pending;
    pending = null;
    lastEpochsAt = performance.now();
    // Several epochs are recorded with an event of progress.
    if (epochs.length > 1) [lastProgressAt, lastStep] = [lastEpochsAt, progress.step];
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
    post,
    flush: postPending,
    afterStep(now, progress) {
      if (pending !== null) {
        if (now - pending.since >= REPORT_INTERVAL_MS) postPending();
      } else if (now - lastProgressAt >= REPORT_INTERVAL_MS) {
        lastProgressAt = now;
        postProgress(progress());
      }
    },
    afterEpoch(now, epoch, progress) {
      pending ??= { epochs: [], progress, since: now };
      pending.epochs.push(epoch);
      pending.progress = progress;
      const isDue = now - lastEpochsAt >= REPORT_INTERVAL_MS;
      if (isDue || pending.epochs.length === MAX_EPOCHS_AT_ONCE) postPending();
    },
    progress(progress) {
      postPending();
      if (progress.step !== lastStep) postProgress(progress);
    },
  };
}
