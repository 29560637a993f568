/** A run of a job: everything that its runner writes. Refused once the job has been recovered or started again. */
import type { Transaction } from 'kysely';
import type { CheckpointRecord } from '../../domain/jobs/checkpoint.ts';
import type { FinishedEpoch, Progress } from '../../domain/jobs/epoch-record.ts';
import type { GradientCheckSummary, JobEvent } from '../../domain/jobs/training.ts';
import { pruneSucceeded } from '../checkpoints/prune.ts';
import type { CheckpointWriter } from '../checkpoints/repository.ts';
import type { Database } from '../database/tables.ts';
import { finishJob, type JobOutcome, requeueJob } from '../jobs/finish.ts';
import {
  recordEpochs,
  recordGradientCheck,
  recordProgress,
  recordWaiting,
  recordWarning,
} from '../jobs/progress.ts';
import { pauseJobAtEpoch, releaseJob } from '../jobs/status.ts';
import type { StartedJob } from './start.ts';

/**
 * Each method checks the run in the transaction that writes, under the lock of the job's row. They throw AtelierError
 * `lease-lost` if this is not the current run of the job, `illegal-transition` if the run has ended.
 */
export type Run = ReturnType<typeof createRun>;

export function createRun(
  { job, run, stopAfterEpoch, dataset }: StartedJob,
  inTransaction: <T>(work: (trx: Transaction<Database>) => Promise<T>) => Promise<T>,
  checkpoints: CheckpointWriter,
) {
  const key = { id: job.id, run };
  return {
    /** The job at the start of the run. */
    job,
    /** Rises with each run of the job. */
    run,
    /** Epoch at whose end a trial is paused, or the final training of a search ends; null for the end of the training. */
    stopAfterEpoch,
    /** The data set at the start of the first run; null if it did not exist then. */
    dataset,
    /** Stores progress with its event. */
    recordProgress: (progress: Progress) => inTransaction((trx) => recordProgress(trx, key, progress)),
    /**
     * Stores the records of consecutive epochs, progress, and the `epoch` and `warning` events in one transaction, for several epochs
     * with a `progress` event.
     */
    recordEpochs: (epochs: readonly FinishedEpoch[], progress: Progress) =>
      inTransaction((trx) => recordEpochs(trx, key, epochs, progress)),
    /** Stores the report of the preflight gradient check. */
    recordGradientCheck: (report: GradientCheckSummary) =>
      inTransaction((trx) => recordGradientCheck(trx, key, report)),
    /**
     * Stores a checkpoint and its `checkpoint` event durably. Keeps the job's best checkpoint, the last three, and
     * those that an unfinished job starts from; removes the others.
     * @throws AtelierError also `storage-full`, `state-unusable`
     */
    saveCheckpoint: (checkpoint: Pick<CheckpointRecord, 'step' | 'epoch' | 'loss'>, bytes: Uint8Array) =>
      checkpoints.save(key, checkpoint, bytes),
    /** Removes an unreadable checkpoint and records a `warning` event with the reason. */
    discardCheckpoint: (step: number, reason: JobEvent['data']) => checkpoints.discard(key, step, reason),
    /** Records a `warning` event. */
    warn: (warning: JobEvent['data']) => inTransaction((trx) => recordWarning(trx, key, warning)),
    /**
     * Sets or clears `waiting` of the job, with a `warning` event that holds it. Does nothing if the job's row has the value
     * already, or if the run has ended: the `status` event of its end holds `waiting: null`.
     */
    recordWaiting: (waiting: 'storage' | null, warning: JobEvent['data']) =>
      inTransaction((trx) => recordWaiting(trx, key, waiting, warning)),
    /**
     * Call when the job's thread has stopped: a pausing job is paused, a cancelling one cancelled, a running one requeued.
     * @param preemptedBy id of the job for which this one was stopped, for the event
     */
    release: (step?: number, preemptedBy?: string) =>
      inTransaction((trx) => releaseJob(trx, key, step, { preemptedBy })),
    /** Call when the thread has stopped after `stopAfterEpoch`: the job is paused, or cancelled if that was requested. */
    pauseAtEpoch: (step: number) => inTransaction((trx) => pauseJobAtEpoch(trx, key, step)),
    /** Call when the job's thread has failed: requeues the job, or fails it if no run is left. */
    requeue: (failure: Extract<JobOutcome, { status: 'failed' }>) =>
      inTransaction((trx) => requeueJob(trx, key, failure)),
    /**
     * On success publishes the next version of the model, except for verifications, and removes the checkpoints that
     * `keepCheckpoints` does not keep. The parameters must be in `blobs`.
     */
    async finish(outcome: JobOutcome) {
      const { finished, removed } = await inTransaction(async (trx) => {
        const finished = await finishJob(trx, key, outcome);
        return {
          finished,
          removed: finished.status === 'succeeded' ? await pruneSucceeded(trx, finished) : [],
        };
      });
      // The job has ended whether or not the files can be removed; the next start removes the rest.
      await checkpoints.release(removed).catch(() => {});
      return finished;
    },
  };
}
