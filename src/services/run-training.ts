/** Runs one queued job in a thread, records what the thread says, and publishes what it made. */
import type { Catalog } from '../datasets/catalog.ts';
import type { ModelVersion } from '../domain/model.ts';
import type { TrainingJob } from '../domain/training-job.ts';
import type { RunJob } from '../queue/job-queue.ts';
import type { JobOutcome, Store } from '../store/store.ts';
import type { TrainingMessage } from '../workers/messages.ts';
import { startTrainingThread } from '../workers/training-thread.ts';
import { findDataset } from './find-dataset.ts';
import { trainingPlan } from './training-plan.ts';

export interface JobLog {
  info(details: object, message: string): void;
  error(details: object, message: string): void;
}

export function createRunTraining(options: {
  store: Store;
  catalog: Catalog;
  log: JobLog;
  onPublished: (version: Pick<ModelVersion, 'name' | 'version'>) => void;
}): RunJob {
  const { store, catalog, log, onPublished } = options;
  const { jobs, blobs } = store;

  async function finish(jobId: string, outcome: JobOutcome): Promise<void> {
    const job = await jobs.finish(jobId, outcome);
    if (job.model) onPublished(job.model);
    const { status, modelName, attempts, digest, error } = job;
    const say = error ? log.error : log.info;
    say.call(log, { jobId, status, modelName, attempts, step: outcome.step, digest, error }, `job ${status}`);
  }

  async function publish(job: TrainingJob, message: TrainingMessage & { kind: 'completed' }): Promise<void> {
    const dataset = findDataset(catalog, job.dataset, '#/dataset');
    const { parameters, engine, step } = message;
    const bytes = new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength);
    const digest = await blobs.put(bytes);
    const [last] = (await store.metrics.list(job.id)).slice(-1);
    await finish(job.id, {
      status: 'succeeded',
      step,
      model: {
        datasetId: dataset.id,
        datasetDigest: dataset.digest,
        layerSizes: [...trainingPlan(job, dataset).layerSizes],
        activation: job.network.activation,
        classNames: [...dataset.classNames],
        engine,
        testAccuracy: last?.testAccuracy ?? null,
        digest,
      },
    });
  }

  return async (jobId, signal) => {
    const job = await jobs.start(jobId);
    log.info({ jobId, status: job.status, modelName: job.modelName, attempts: job.attempts }, 'job running');
    const dataset = findDataset(catalog, job.dataset, '#/dataset');
    const { train, test } = dataset;

    const thread = startTrainingThread({ plan: trainingPlan(job, dataset), train, test }, async (message) => {
      switch (message.kind) {
        case 'progress':
          return jobs.recordProgress(jobId, message.progress);
        case 'epoch':
          return jobs.recordEpoch(jobId, message.record, message.progress);
        case 'completed':
          return publish(job, message);
        case 'failed': {
          const { code, message: reason } = message.error;
          return finish(jobId, { status: 'failed', step: message.step, error: { code, message: reason } });
        }
        case 'stopped':
          if (signal.reason === 'shutdown' && (await jobs.get(jobId))?.status === 'running') {
            await jobs.requeue(jobId);
            return log.info({ jobId, status: 'queued', step: message.step }, 'job queued again');
          }
          return finish(jobId, { status: 'cancelled', step: message.step });
      }
    });
    // A job may be cancelled between its start in the table and that of its thread.
    if (signal.aborted) thread.stop();
    signal.addEventListener('abort', () => thread.stop(), { once: true });
    await thread.ended;
  };
}
