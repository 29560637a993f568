/** A run of a training job: prepares the thread's task and stores the thread's reports. */
import { setTimeout as wait } from 'node:timers/promises';
import { AtelierError, hasCode, isOutOfFiles } from '../../errors.ts';
import type { JobOutcome, Run } from '../../store/persistent-state.ts';
import type { SerializedError } from '../../workers/threads/errors.ts';
import { serializeError } from '../../workers/threads/errors.ts';
import type { CheckpointBytes, WorkerMessage, WorkerReport } from '../../workers/training/messages.ts';
import { assertTrainingFits } from '../memory/limits.ts';
import { assertSameDataset } from '../training/reproduction.ts';
import { buildTask } from './build-task.ts';
import { completeRun } from './complete.ts';
import type { TrainingContext } from './context.ts';
import { RETRY_MS } from './repeat.ts';
import { type Resumption, resumeTraining } from './resume.ts';
import { NO_FILES } from './retry-until-stored.ts';

export type TrainingRun = ReturnType<typeof createTrainingRun>;

/** @param preemptedBy id of the job in favour of which the thread was stopped */
export function createTrainingRun(
  run: Run,
  context: TrainingContext,
  preemptedBy: () => string | undefined = () => undefined,
) {
  const { store, catalog, models, memory, loadDistillation, log } = context;
  const { job } = run;
  let from: Resumption | null = null;
  /** Steps done, as far as the thread has reported. */
  let step = 0;

  /** The thread has stopped: a pausing job is paused, a cancelling one cancelled, a running one queued again. */
  const release = async () => void (await run.release(step, preemptedBy()));
  const requeue = async (error: SerializedError) => void (await run.requeue(failure(error)));
  const fail = async (error: SerializedError) => void (await run.finish(failure(error)));

  function failure({ code, message }: SerializedError): Extract<JobOutcome, { status: 'failed' }> {
    return { status: 'failed', step, error: { code, message } };
  }

  /** A checkpoint that cannot be stored does not end the training; a resumption uses the one before it. */
  async function saveCheckpoint({ bytes, ...checkpoint }: CheckpointBytes): Promise<void> {
    await run.saveCheckpoint(checkpoint, bytes).catch((error) => {
      if (hasCode(error, 'lease-lost', 'storage-unavailable')) throw error;
      log.error({ jobId: job.id, step: checkpoint.step, err: error }, 'failed to store a checkpoint');
    });
  }

  async function complete(message: Extract<WorkerMessage, { kind: 'completed' }>): Promise<void> {
    const diverged = await completeRun(run, message, context);
    if (diverged !== null) await fail(serializeError(diverged));
  }

  async function handleFailure(error: SerializedError): Promise<void> {
    if (isOutOfFiles(error)) {
      // Not an attempt: the next run waits until files can be opened.
      await run.warn({ code: NO_FILES, message: error.message });
      await wait(RETRY_MS);
      return release();
    }
    if (error.code === 'worker-crashed') return requeue(error);
    if (error.code !== 'checkpoint-damaged' || from === null) return fail(error);
    await from.discard(error);
    return release();
  }

  async function record(message: WorkerReport): Promise<void> {
    switch (message.kind) {
      case 'gradient-check':
        return run.recordGradientCheck(message.report);
      case 'progress':
        return run.recordProgress(message.progress);
      case 'epochs':
        return run.recordEpochs(message.epochs, message.progress);
      case 'checkpoint':
        return saveCheckpoint(message);
    }
  }

  return {
    /** Queues the job for another run, or fails it if none is left. */
    requeue,
    /** Queues the job for another run, or completes its requested pause or cancellation. */
    release,
    /** Builds the task, from the last readable checkpoint if any. On an error, fails the job and returns null. */
    async prepare() {
      from = await resumeTraining(run, store);
      step = from?.step ?? 0;
      try {
        const dataset = catalog.summary(job.dataset);
        // The files of Fashion-MNIST may have been replaced since the first run.
        if (run.dataset && dataset) assertSameDataset({ dataset: run.dataset }, job.id, dataset);
        // The memory may have shrunk since the job was created.
        assertTrainingFits(memory, job, catalog);
        const services = { catalog, models, jobs: store.jobs, loadDistillation };
        return await buildTask(job, from?.bytes ?? null, run.stopAfterEpoch, services);
      } catch (error) {
        if (hasCode(error, 'storage-unavailable') || isOutOfFiles(error)) throw error;
        if (!(error instanceof AtelierError))
          log.error({ jobId: job.id, err: error }, 'failed to prepare a job');
        await fail(serializeError(error));
        return null;
      }
    },
    /** Stores a report, or the outcome of the job if the message is a final one. */
    async handleMessage(message: WorkerMessage) {
      if ('step' in message) ({ step } = message);
      switch (message.kind) {
        case 'completed':
          return complete(message);
        case 'failed':
          return handleFailure(message.error);
        case 'stopped':
          if (message.checkpoint) await saveCheckpoint(message.checkpoint);
          if (message.isPlanned) return void (await run.pauseAtEpoch(step));
          return release();
        default:
          return record(message);
      }
    },
  };
}
