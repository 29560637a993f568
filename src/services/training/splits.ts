/** The splits that the training of a model, and of the models that it started from or distilled, used. */

import type { Dataset, DatasetSummary, SplitName } from '../../domain/datasets/representation.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import { isJobId } from '../../domain/models/reference.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import { hasCode } from '../../errors.ts';
import { resolvedTeachers, resolvedWarmStart } from '../../store/models/versions.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { ValidationSplit } from '../../workers/tasks/evaluate.ts';
import type { ModelService } from '../models/catalog.ts';
import { resolveValidation, selectExamples, type Validation } from './examples.ts';

/** A training, with the digest of its data set. */
export interface KnownTraining {
  readonly request: Pick<ResolvedTrainingRequest, 'seed' | 'training' | 'warmStart'>;
  readonly datasetDigest: string;
}

/** null for an import, whose training is unknown. */
export function knownTraining({ lineage }: ModelVersion): KnownTraining | null {
  const { request, dataset } = lineage;
  if (request === null || dataset === null) return null;
  return { request: request as unknown as ResolvedTrainingRequest, datasetDigest: dataset.digest };
}

/** Whether the version was trained on a split of a data set, as far as is known: an import may have been. */
export function mayBeTrainedOn(version: ModelVersion, datasetDigest: string, split: SplitName): boolean {
  const known = knownTraining(version);
  if (split === 'test' || (known?.datasetDigest ?? datasetDigest) !== datasetDigest) return false;
  return split === 'train' || known === null || known.request.training.trainOnValidation === true;
}

/** The split of a training of the data set, before the data set is loaded. */
export interface TrainingSplit {
  readonly seed: number;
  readonly training: Validation;
}

/** Whether the training was given all training and validation images, and held none of them out. */
export function isTrainedOnAll(training: Validation, { splits }: Pick<DatasetSummary, 'splits'>): boolean {
  const validation = resolveValidation(training, splits.validation ?? null);
  if (validation?.split || validation?.fraction) return false;
  return !splits.validation || training.trainOnValidation === true;
}

export function toValidationSplit({ seed, training }: TrainingSplit, dataset: Dataset): ValidationSplit {
  const { examples, holdout } = selectExamples(training, dataset);
  return { seed, holdout, examples: examples.labels.length };
}

/**
 * Follows the warm starts and the teachers. Trainings on other data sets are left out: they have seen other images.
 * @returns null if a training that the model depends on is unknown
 */
export async function listSplits(
  training: KnownTraining,
  models: Pick<ModelService, 'version'>,
  jobs: Pick<Store['jobs'], 'get'>,
): Promise<TrainingSplit[] | null> {
  const splits: TrainingSplit[] = [];
  const found: KnownTraining[] = [training];
  const seen = new Set<string>();
  for (const { request, datasetDigest } of found) {
    const { seed, training: options, warmStart } = request;
    if (datasetDigest === training.datasetDigest) splits.push({ seed, training: options });
    const used = resolvedTeachers(options);
    if (warmStart !== null) used.push(resolvedWarmStart(warmStart));
    for (const { name, version } of used) {
      const key = `${name}@${version}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const before = await (isJobId(name) ? findJob(name) : findVersion(name, version));
      if (before === null) return null;
      found.push(before);
    }
  }
  return splits;

  async function findJob(id: string): Promise<KnownTraining | null> {
    const job = await jobs.get(id);
    return job?.receipt ? { request: job, datasetDigest: job.receipt.dataset.digest } : null;
  }

  async function findVersion(name: string, version: number): Promise<KnownTraining | null> {
    try {
      return knownTraining(await models.version(name, version));
    } catch (error) {
      if (hasCode(error, 'model-not-found')) return null;
      throw error;
    }
  }
}
