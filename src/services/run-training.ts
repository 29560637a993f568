/** Runs one queued job in a thread, records what the thread says, and publishes what it made. */
import type { Catalog } from '../datasets/catalog.ts';
import type { TrainingJob } from '../domain/training-job.ts';
import type { RunJob } from '../queue/job-queue.ts';
import type { JobOutcome, Store } from '../store/store.ts';
import type { SerializedError, TrainingMessage, TrainingReport, TrainingTask } from '../workers/messages.ts';
import { serializeError } from '../workers/serialize-error.ts';
import { startTrainingThread } from '../workers/training-thread.ts';
import { findDataset } from './find-dataset.ts';
import type { ModelService } from './find-model.ts';
import { layerSizesOf, trainingPlan } from './training-plan.ts';
import { findStart } from './warm-start.ts';

export interface JobLog {
  info(details: object, message: string): void;
  error(details: object, message: string): void;
}

export function createRunTraining(options: {
  store: Store;
  catalog: Catalog;
  models: ModelService;
  log: JobLog;
}): RunJob {
  const { store, catalog, models, log } = options;
  const { jobs, blobs, events } = store;

  async function finish(jobId: string, outcome: JobOutcome): Promise<void> {
    const job = await jobs.finish(jobId, outcome);
    if (job.model) models.published(job.model);
    const { status, modelName, attempts, digest, error } = job;
    const say = error ? log.error : log.info;
    say.call(log, { jobId, status, modelName, attempts, step: outcome.step, digest, error }, `job ${status}`);
  }

  async function publish(
    job: TrainingJob,
    { result, step }: Extract<TrainingMessage, { kind: 'completed' }>,
  ): Promise<void> {
    const dataset = findDataset(catalog, job.dataset, '#/dataset');
    const { parameters, engine, fused, standardization, stoppedAt } = result;
    const bytes = new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength);
    const digest = await blobs.put(bytes);
    const measured = (await store.metrics.list(job.id)).find((record) => record.epoch === result.epoch);
    await finish(job.id, {
      status: 'succeeded',
      step,
      reason: stoppedAt.reason,
      model: {
        datasetId: dataset.id,
        datasetDigest: dataset.digest,
        layerSizes: [...layerSizesOf(job.network.hidden, dataset)],
        activation: job.network.activation,
        standardization,
        classNames: [...dataset.classNames],
        engine,
        fused,
        testAccuracy: measured?.testAccuracy ?? null,
        digest,
      },
    });
  }

  /** @throws AtelierError where what the job refers to is no longer there */
  async function taskOf(job: TrainingJob): Promise<Omit<TrainingTask, 'stop'>> {
    const dataset = findDataset(catalog, job.dataset, '#/dataset');
    const start = await findStart(job, dataset, models);
    const { budget, threads } = job.training;
    return {
      plan: trainingPlan(job, dataset, start),
      threads,
      checkGradient: job.gradientCheck,
      budgetSeconds: budget?.seconds ?? null,
      train: dataset.train,
      test: dataset.test,
    };
  }

  async function record(jobId: string, message: TrainingReport): Promise<void> {
    switch (message.kind) {
      case 'gradient-check':
        return jobs.recordGradientCheck(jobId, message.report);
      case 'progress':
        return jobs.recordProgress(jobId, message.progress);
      case 'epoch':
        await jobs.recordEpoch(jobId, message.record, message.progress);
        for (const warning of message.warnings) {
          await events.append(jobId, 'warning', { ...warning, epoch: message.record.epoch });
        }
    }
  }

  return async (jobId, signal) => {
    const job = await jobs.start(jobId);
    log.info({ jobId, status: job.status, modelName: job.modelName, attempts: job.attempts }, 'job running');
    const fail = (step: number, { code, message }: Pick<SerializedError, 'code' | 'message'>) =>
      finish(jobId, { status: 'failed', step, error: { code, message } });

    let task: Omit<TrainingTask, 'stop'>;
    try {
      task = await taskOf(job);
    } catch (error) {
      return fail(0, serializeError(error));
    }
    const thread = startTrainingThread(task, async (message) => {
      switch (message.kind) {
        case 'completed':
          return publish(job, message);
        case 'failed':
          return fail(message.step, message.error);
        case 'stopped':
          if (signal.reason === 'shutdown' && (await jobs.get(jobId))?.status === 'running') {
            await jobs.requeue(jobId);
            return log.info({ jobId, status: 'queued', step: message.step }, 'job queued again');
          }
          return finish(jobId, { status: 'cancelled', step: message.step });
        default:
          return record(jobId, message);
      }
    });
    // A job may be cancelled between its start in the table and that of its thread.
    if (signal.aborted) thread.stop();
    signal.addEventListener('abort', () => thread.stop(), { once: true });
    try {
      await thread.ended;
    } catch (error) {
      // What it computed could not be stored: a job that nobody works on must not stay running.
      log.error({ jobId, err: error }, 'job could not be recorded');
      await fail((await jobs.get(jobId))?.progress.step ?? 0, serializeError(error));
    }
  };
}
