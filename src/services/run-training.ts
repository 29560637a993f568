/** Runs one queued job in a thread, records what the thread says, and publishes what it made. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Catalog } from '../datasets/catalog.ts';
import type { ExecutionEnvironment } from '../domain/reproducibility.ts';
import type { ResolvedTrainingRequest, TrainingJob } from '../domain/training-job.ts';
import { AtelierError, type ErrorCode } from '../errors.ts';
import type { RunJob } from '../queue/job-queue.ts';
import { sha256Hex } from '../store/blobs.ts';
import type { JobOutcome, Store } from '../store/store.ts';
import { detectEnvironment } from '../workers/kernel.ts';
import type {
  CheckpointBytes,
  SerializedError,
  TrainingTask,
  WorkerMessage,
  WorkerReport,
} from '../workers/messages.ts';
import { serializeError } from '../workers/outcome.ts';
import { startTrainingThread } from '../workers/training-thread.ts';
import { buildTrainingPlan, layerSizesFor } from './build-plan.ts';
import { findDataset } from './find-dataset.ts';
import type { ModelService } from './models.ts';
import { reproductionOptions } from './reproduction.ts';
import { type Resumption, resumeFrom } from './resume-training.ts';
import { resolveWarmStart } from './warm-start.ts';

export interface JobLogger {
  info(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** While the store takes nothing, as on a full disk: what the thread says waits, and the thread trains on. */
const STORE_RETRY_MS = 1000;

export function createRunTraining(options: {
  store: Store;
  catalog: Catalog;
  models: ModelService;
  log: JobLogger;
}): RunJob {
  const { store, catalog, models, log } = options;
  const { jobs, blobs, events, checkpoints } = store;
  const environment = detectEnvironment();

  function describeEnvironment({ dataset: id }: ResolvedTrainingRequest): ExecutionEnvironment | null {
    const dataset = catalog.summary(id);
    return dataset ? { dataset: { id, digest: dataset.digest }, ...environment } : null;
  }

  async function finish(jobId: string, outcome: JobOutcome): Promise<void> {
    const job = await jobs.finish(jobId, outcome);
    if (job.model) models.invalidate();
  }

  async function publish(
    job: TrainingJob,
    { result, step }: Extract<WorkerMessage, { kind: 'completed' }>,
  ): Promise<void> {
    const dataset = await findDataset(catalog, job.dataset, '#/dataset');
    const { parameters, engine, fused, standardization, stoppedAt } = result;
    const bytes = new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength);
    const measured = (await store.metrics.list(job.id)).find((record) => record.epoch === result.epoch);
    const finishWith = (digest: string) =>
      finish(job.id, {
        status: 'succeeded',
        step,
        reason: stoppedAt.reason,
        model: {
          datasetId: dataset.id,
          datasetDigest: dataset.digest,
          layerSizes: [...layerSizesFor(job.network.hidden, dataset)],
          activation: job.network.activation,
          standardization,
          classNames: [...dataset.classNames],
          engine,
          fused,
          testAccuracy: measured?.testAccuracy ?? null,
          digest,
        },
      });
    if (job.verification === null) return blobs.putReferenced(bytes, finishWith);
    // The digest is all that is asked for.
    return finishWith(await sha256Hex(bytes));
  }

  /** @throws AtelierError where what the job refers to is no longer there */
  async function buildTask(
    job: TrainingJob,
    from: Resumption | null,
  ): Promise<Omit<TrainingTask, 'control'>> {
    const dataset = await findDataset(catalog, job.dataset, '#/dataset');
    const repetition = await reproductionOptions(job, dataset, jobs);
    const start = await resolveWarmStart(job, dataset, models);
    const { budget, threads, checkpointEverySeconds } = job.training;
    return {
      plan: { ...buildTrainingPlan(job, dataset, start), stopAtStep: repetition?.stopAtStep ?? null },
      threads,
      // Once is enough: the network is the same.
      checkGradient: job.gradientCheck && job.gradientCheckReport === null,
      budgetSeconds: repetition ? null : (budget?.seconds ?? null),
      checkpointEverySeconds,
      checkpoint: from?.bytes ?? null,
      train: dataset.train,
      test: dataset.test,
    };
  }

  /** A training does not end because a checkpoint could not be stored: the one before has to do. */
  async function save(jobId: string, { bytes, ...checkpoint }: CheckpointBytes): Promise<void> {
    await checkpoints.save(jobId, checkpoint, bytes).catch((error) => {
      log.error({ jobId, step: checkpoint.step, err: error }, 'a checkpoint could not be stored');
    });
  }

  async function record(jobId: string, message: WorkerReport): Promise<void> {
    switch (message.kind) {
      case 'gradient-check':
        return jobs.recordGradientCheck(jobId, message.report);
      case 'progress':
        return jobs.recordProgress(jobId, message.progress);
      case 'epoch':
        return jobs.recordEpoch(jobId, message.record, message.warnings, message.progress);
      case 'checkpoint':
        return save(jobId, message);
      case 'warning':
        await events.append(jobId, 'warning', message.warning);
    }
  }

  return async (jobId, signal, closing) => {
    const job = await tryStart(jobId);
    if (job === null) return;
    let step = 0;
    const failure = ({ code, message }: Pick<SerializedError, 'code' | 'message'>) =>
      ({ status: 'failed', step, error: { code, message } }) as const;
    const settle = async () => void (await jobs.release(jobId, step));
    const retry = async (error: SerializedError) => void (await jobs.requeue(jobId, failure(error)));

    const handle = async (message: WorkerMessage, from: Resumption | null): Promise<void> => {
      if ('step' in message) ({ step } = message);
      switch (message.kind) {
        case 'completed':
          return publish(job, message);
        case 'failed':
          if (message.error.code === 'checkpoint-damaged' && from !== null) {
            await from.discard(message.error);
            return settle();
          }
          if (message.error.code === 'worker-crashed') return retry(message.error);
          return finish(jobId, failure(message.error));
        case 'stopped':
          if (message.checkpoint) await save(jobId, message.checkpoint);
          return settle();
        default:
          return record(jobId, message);
      }
    };

    const run = async (): Promise<void> => {
      const from = await resumeFrom(job, store);
      step = from?.step ?? 0;
      let task: Omit<TrainingTask, 'control'>;
      try {
        task = await buildTask(job, from);
      } catch (error) {
        return finish(jobId, failure(serializeError(error)));
      }
      const thread = startTrainingThread(task, (message) =>
        retryWhileStorageFull(jobId, () => handle(message, from), closing, isFull),
      );
      // A job may be cancelled between its start in the table and that of its thread.
      if (signal.aborted) thread.stop();
      signal.addEventListener('abort', () => thread.stop(), { once: true });
      await thread.ended;
    };

    try {
      await run();
    } catch (error) {
      // Nobody works on the job any more, so it must not stay running.
      log.error({ jobId, err: error }, 'job could not be recorded');
      await retryWhileStorageFull(
        jobId,
        () => retry(serializeError(error)),
        closing,
        (failed) => !isIllegalTransition(failed),
      );
    }
  };

  /** null where it was paused or cancelled before it came to its turn. */
  async function tryStart(jobId: string): Promise<TrainingJob | null> {
    try {
      return await jobs.start(jobId, describeEnvironment);
    } catch (error) {
      if (isIllegalTransition(error)) return null;
      throw error;
    }
  }

  /** On a full disk until there is space again, or the service stops: its next start settles the job. */
  async function retryWhileStorageFull(
    jobId: string,
    write: () => Promise<void>,
    closing: AbortSignal,
    isPassing: (error: unknown) => boolean,
  ): Promise<void> {
    let fullSince: number | undefined;
    let isTold = false;
    for (let attempt = 1; ; attempt++) {
      try {
        // Before what waited: it may be the last that is heard of the job.
        if (fullSince !== undefined && !isTold) {
          await events.append(jobId, 'warning', storageFullWarning(performance.now() - fullSince));
          isTold = true;
        }
        return await write();
      } catch (error) {
        if (closing.aborted || !isPassing(error)) throw error;
        if (isFull(error)) fullSince ??= performance.now();
        if (attempt === 1) log.error({ err: error }, 'what a job did could not be stored yet');
        await wait(STORE_RETRY_MS, undefined, { signal: closing }).catch(() => {});
      }
    }
  }
}

function storageFullWarning(ms: number): { code: ErrorCode; message: string } {
  const seconds = Math.max(1, Math.round(ms / 1000));
  return {
    code: 'storage-full',
    message: `There was no space left: what the job did could not be stored for ${seconds} s. Nothing of it is lost.`,
  };
}

function isFull(error: unknown): boolean {
  return error instanceof AtelierError && error.code === 'storage-full';
}

function isIllegalTransition(error: unknown): boolean {
  return error instanceof AtelierError && error.code === 'illegal-transition';
}
