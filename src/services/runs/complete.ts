/** The end of a run whose training has completed. */

import type { EpochRecord } from '../../domain/jobs/epoch-record.ts';
import { isTrial, type TrainingJob } from '../../domain/jobs/training.ts';
import { describeArchitecture } from '../../domain/models/architecture.ts';
import { AtelierError } from '../../errors.ts';
import { isExplodedLoss } from '../../numerics/training/epoch-warnings.ts';
import { sha256Hex } from '../../store/blobs/content-addressed.ts';
import { ChampionMoved } from '../../store/models/promotion.ts';
import type { NewVersion } from '../../store/models/versions.ts';
import type { Run } from '../../store/persistent-state.ts';
import type { WorkerMessage } from '../../workers/training/messages.ts';
import { findDataset } from '../datasets/find.ts';
import { describeNotLearned } from '../training/learned.ts';
import { architectureFor } from '../training/plan.ts';
import type { TrainingContext } from './context.ts';

/**
 * Ends the run with success, and publishes a version unless the job is a verification or a trial, or has not learned.
 * @returns the error with which the run must end instead, if the training diverged
 */
export async function completeRun(
  run: Run,
  { result, step }: Extract<WorkerMessage, { kind: 'completed' }>,
  {
    store,
    catalog,
    models,
    judge,
    onPublished,
  }: Pick<TrainingContext, 'store' | 'catalog' | 'models' | 'judge' | 'onPublished'>,
): Promise<AtelierError | null> {
  const { job } = run;
  const dataset = await findDataset(catalog, job.dataset, '#/dataset');
  const { parameters, engine, fused, standardization, stoppedAt } = result;
  const bytes = new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength);
  const record = (await store.epochRecords.list(job.id)).find(({ epoch }) => epoch === result.epoch);
  const classes = dataset.classNames.length;
  // A verification publishes nothing, and may repeat a job that exploded when such jobs still succeeded.
  if (job.verification === null && record && isExplodedLoss(record.trainLoss, classes)) {
    return diverged(job, record, classes);
  }
  const architecture = architectureFor(job.network, dataset);
  const { promote, evenIfNotLearned } = job.publish;
  const publishesNothing = job.verification !== null || isTrial(job);
  const notLearned = publishesNothing || evenIfNotLearned ? null : describeNotLearned(job, record, dataset);
  const isPublished = !publishesNothing && notLearned === null;

  /** Compares with the champion of this moment; if it changes before the version is published, `finish` fails. */
  async function compareWithChampion() {
    if (!isPublished || promote !== 'if-better') return null;
    const { activation } = job.network;
    const reference = { name: job.modelName, version: 0 };
    const { classNames } = dataset;
    const network = { reference, architecture, activation, standardization, parameters, classNames };
    return judge(job, dataset, network);
  }

  const succeed = async (digest: string): Promise<void> => {
    const model: NewVersion = {
      datasetId: dataset.id,
      datasetDigest: dataset.digest,
      ...describeArchitecture(architecture),
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
    // Also invalidated after a failure, because a commit may succeed although its connection is lost.
    await run
      .finish({ status: 'succeeded', step, reason: stoppedAt.reason, model, epoch: result.epoch, publish })
      .then(({ model: published }) => published && onPublished(published))
      .catch((error: unknown) => {
        if (error instanceof ChampionMoved) return succeed(digest);
        throw error;
      })
      .finally(() => models.invalidate());
  };
  // A verification or a trial publishes nothing: only its digest is stored.
  await (isPublished ? store.blobs.putReferenced(bytes, succeed) : succeed(await sha256Hex(bytes)));
  return null;
}

function diverged(
  { training }: TrainingJob,
  { epoch, trainLoss }: EpochRecord,
  classes: number,
): AtelierError {
  const [loss, uniform] = [trainLoss.toPrecision(3), Math.log(classes).toPrecision(3)];
  return new AtelierError(
    'loss-diverged',
    `The training diverged, so no model is published: the training loss of epoch ${epoch} was ${loss}; a uniform guess ` +
      `has ${uniform}. Lower training.optimizer.learningRate (${training.optimizer.learningRate}), for example by a ` +
      'factor of ten, or set training.clipNorm, for example to 1.',
  );
}
