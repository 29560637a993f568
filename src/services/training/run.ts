/** One attempt of a training job: prepares the thread's task and stores the thread's reports. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { EpochRecord } from '../../domain/jobs/epoch-record.ts';
import { isTrial } from '../../domain/jobs/training.ts';
import { AtelierError, hasCode } from '../../errors.ts';
import { isExplodedLoss } from '../../numerics/training/epoch-warnings.ts';
import { sha256Hex } from '../../store/blobs/content-addressed.ts';
import { ChampionMoved } from '../../store/models/promotion.ts';
import type { JobOutcome, Run, Store } from '../../store/persistent-state.ts';
import type {
  CheckpointBytes,
  SerializedError,
  TrainingTask,
  WorkerMessage,
  WorkerReport,
} from '../../workers/messages/shapes.ts';
import { serializeError } from '../../workers/threads/serialize-error.ts';
import { findDataset } from '../datasets/find.ts';
import type { JobLogger } from '../events/log.ts';
import type { MemoryLedger } from '../memory/ledger.ts';
import { assertTrainingFits } from '../memory/limits.ts';
import type { ModelService } from '../models/catalog.ts';
import type { Judge } from '../models/judge.ts';
import type { StorageWaits } from '../queueing/storage-waits.ts';
import { buildTask } from './build-task.ts';
import { describeNotLearned } from './learned.ts';
import { layerSizesFor } from './plan.ts';
import { type Resumption, resumeTraining } from './resume.ts';
import type { LoadDistillation } from './teachers.ts';

export interface TrainingContext {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly models: ModelService;
  readonly memory: MemoryLedger;
  readonly waits: StorageWaits;
  readonly judge: Judge;
  readonly loadDistillation: LoadDistillation;
  /** Id of this replica; only needed if several share the database. */
  readonly runner?: string;
  readonly log: JobLogger & { warn(details: object, message: string): void };
}

export interface TrainingRun {
  /** Builds the task, from the last readable checkpoint if any. On an error, fails the job and returns null. */
  prepare(): Promise<Omit<TrainingTask, 'control'> | null>;
  /** Stores a report, or the outcome of the job if the message is a final one. */
  handleMessage(message: WorkerMessage): Promise<void>;
  /** Queues the job for another attempt, or fails it if no attempt is left. */
  requeue(error: SerializedError): Promise<void>;
}

/** @param preemptedBy id of the job in favour of which the thread was stopped */
export function createTrainingRun(
  run: Run,
  context: TrainingContext,
  preemptedBy: () => string | undefined = () => undefined,
): TrainingRun {
  const { store, catalog, models, memory, judge, loadDistillation, log } = context;
  const { jobs, blobs } = store;
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

  async function complete({ result }: Extract<WorkerMessage, { kind: 'completed' }>): Promise<void> {
    const dataset = await findDataset(catalog, job.dataset, '#/dataset');
    const { parameters, engine, fused, standardization, stoppedAt } = result;
    const bytes = new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength);
    const record = (await store.epochRecords.list(job.id)).find(({ epoch }) => epoch === result.epoch);
    const classes = dataset.classNames.length;
    // A verification publishes nothing, and may repeat a job that exploded when such jobs still succeeded.
    if (job.verification === null && record && isExplodedLoss(record.trainLoss, classes)) {
      return fail(serializeError(diverged(record, classes)));
    }
    const layerSizes = layerSizesFor(job.network.hidden, dataset);
    const { promote, evenIfNotLearned } = job.publish;
    const publishesNothing = job.verification !== null || isTrial(job);
    const notLearned =
      publishesNothing || evenIfNotLearned ? null : describeNotLearned(job, record, dataset.train.labels);
    const isPublished = !publishesNothing && notLearned === null;

    /** Compares with the champion of this moment; if it changes before the version is published, `finish` fails. */
    async function compareWithChampion() {
      if (!isPublished || promote !== 'if-better') return null;
      const { activation } = job.network;
      const reference = { name: job.modelName, version: 0 };
      const { classNames } = dataset;
      const network = { reference, layerSizes, activation, standardization, parameters, classNames };
      return judge(job, dataset, network);
    }

    const succeed = async (digest: string): Promise<void> => {
      const model = {
        datasetId: dataset.id,
        datasetDigest: dataset.digest,
        layerSizes: [...layerSizes],
        activation: job.network.activation,
        standardization,
        preprocessing: (await catalog.find(dataset.id))?.preprocessing ?? null,
        classNames: [...dataset.classNames],
        engine,
        fused,
        testAccuracy: result.tested?.accuracy ?? record?.testAccuracy ?? null,
        digest,
      };
      const publish = { promote, notLearned, judgement: await compareWithChampion() };
      // Invalidated after a failure, too, because a commit may succeed although its connection is lost.
      await run
        .finish({ status: 'succeeded', step, reason: stoppedAt.reason, model, epoch: result.epoch, publish })
        .catch((error: unknown) => {
          if (error instanceof ChampionMoved) return succeed(digest);
          throw error;
        })
        .finally(() => models.invalidate());
    };
    // A verification or a trial publishes nothing: only its digest is stored.
    return isPublished ? blobs.putReferenced(bytes, succeed) : succeed(await sha256Hex(bytes));
  }

  function diverged({ epoch, trainLoss }: EpochRecord, classes: number): AtelierError {
    const [loss, uniform] = [trainLoss.toPrecision(3), Math.log(classes).toPrecision(3)];
    return new AtelierError(
      'loss-diverged',
      `The training diverged, so no model is published: the training loss of epoch ${epoch} was ${loss}; a uniform guess ` +
        `has ${uniform}. Lower training.optimizer.learningRate (${job.training.optimizer.learningRate}), for example by a ` +
        'factor of ten, or set training.clipNorm, for example to 1.',
    );
  }

  /** A checkpoint that cannot be stored does not end the training; a resumption uses the one before it. */
  async function saveCheckpoint({ bytes, ...checkpoint }: CheckpointBytes): Promise<void> {
    await run.saveCheckpoint(checkpoint, bytes).catch((error) => {
      if (hasCode(error, 'lease-lost', 'storage-unavailable')) throw error;
      log.error({ jobId: job.id, step: checkpoint.step, err: error }, 'failed to store a checkpoint');
    });
  }

  async function handleFailure(error: SerializedError): Promise<void> {
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
    requeue,
    async prepare() {
      from = await resumeTraining(run, store);
      step = from?.step ?? 0;
      try {
        // The memory may have shrunk since the job was created.
        assertTrainingFits(memory, job, catalog);
        const services = { catalog, models, jobs, loadDistillation };
        return await buildTask(job, from?.bytes ?? null, run.stopAfterEpoch, services);
      } catch (error) {
        if (hasCode(error, 'storage-unavailable')) throw error;
        if (!(error instanceof AtelierError))
          log.error({ jobId: job.id, err: error }, 'failed to prepare a job');
        await fail(serializeError(error));
        return null;
      }
    },
    async handleMessage(message) {
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
