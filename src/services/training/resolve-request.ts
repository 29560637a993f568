/** Validates a training request against data set, models and memory, and fills in its defaults. */

import type { Catalog } from '../../datasets/catalog.ts';
import type { Dataset } from '../../domain/datasets/representation.ts';
import type { Progress } from '../../domain/jobs/epoch-record.ts';
import type { Notify } from '../../domain/jobs/notify.ts';
import type { KeptCheckpoints, ResolvedTrainingRequest, TrainingRequest } from '../../domain/jobs/request.ts';
import { findTrainingConflicts } from '../../domain/training/conflicts.ts';
import { AtelierError } from '../../errors.ts';
import { stepsPerEpoch } from '../../numerics/examples/batches.ts';
import { findDataset } from '../datasets/find.ts';
import type { MemoryLedger } from '../memory/ledger.ts';
import { assertTrainingFits } from '../memory/limits.ts';
import type { ModelService } from '../models/catalog.ts';
import { assertStandardizable } from './assert-standardizable.ts';
import { countImages, resolveValidation } from './examples.ts';
import type { InitialState } from './plan.ts';
import { fixTeachers, loadTeachers } from './teachers.ts';
import { resolveWarmStart } from './warm-start.ts';

export interface ResolvedTraining {
  readonly request: ResolvedTrainingRequest;
  readonly notify: Notify | undefined;
  readonly dataset: Dataset;
  readonly start: InitialState | null;
}

/**
 * Everything that can reject a training request before it is queued.
 * @throws AtelierError `unknown-dataset`, `unknown-model`, `impossible-request`, `webhook-not-allowed`, `dataset-damaged`
 */
export type ResolveTraining = (request: TrainingRequest) => Promise<ResolvedTraining>;

export function createResolveTraining(options: {
  catalog: Catalog;
  models: ModelService;
  memory: MemoryLedger;
  /** For requests that do not say it. */
  keepCheckpoints: KeptCheckpoints;
  /** @throws AtelierError `webhook-not-allowed` */
  assertWebhookAllowed: (notify: Notify) => void;
}): ResolveTraining {
  const { catalog, models, memory, keepCheckpoints, assertWebhookAllowed } = options;

  return async ({ notify, ...sent }) => {
    if (notify) assertWebhookAllowed(notify);
    const dataset = await findDataset(catalog, sent.dataset, '#/dataset');
    const validation = resolveValidation(sent.training, dataset.validation);
    const request = { ...sent, training: { ...sent.training, validation } };
    const { heldOut } = countImages(request, dataset);
    assertNoConflicts(findTrainingConflicts(request, dataset, heldOut));
    const start = await resolveWarmStart(request, dataset, models);
    const teachers = await loadTeachers(request, dataset, models);
    // A warm start keeps the mean and deviation of its model.
    if (start === null) assertStandardizable(request, dataset);
    assertTrainingFits(memory, request, catalog);
    // Resolved now, because a newer version may exist when the job runs.
    const warmStart = start === null ? null : start.reference;
    const resolved = fillDefaults(
      {
        ...fixTeachers(
          request,
          teachers.map(({ reference }) => reference),
        ),
        warmStart,
      },
      dataset,
      keepCheckpoints,
    );
    countSteps(resolved, dataset);
    return { request: resolved, notify: notify ?? undefined, dataset, start };
  };
}

/** Fills in the defaults that depend on the data set and the service. */
export function fillDefaults(
  { notify: _, ...request }: TrainingRequest,
  dataset: Pick<Dataset, 'id' | 'validation'>,
  keepCheckpoints: KeptCheckpoints,
): ResolvedTrainingRequest {
  const { training, modelName = dataset.id } = request;
  const kept = training.keepCheckpoints ?? keepCheckpoints;
  const validation = resolveValidation(training, dataset.validation);
  return { ...request, modelName, training: { ...training, validation, keepCheckpoints: kept } };
}

/** @throws AtelierError `impossible-request` naming all of them, if there are any */
export function assertNoConflicts(conflicts: ReturnType<typeof findTrainingConflicts>): void {
  if (conflicts.length === 0) return;
  const reasons = conflicts.map(({ pointer, detail }) => `${pointer} ${detail}`);
  throw new AtelierError('impossible-request', `Conflicting options: ${reasons.join('. ')}.`, {
    details: conflicts,
  });
}

/** @throws AtelierError `impossible-request` if a batch is larger than the training split */
export function countSteps({ training }: Pick<TrainingRequest, 'training'>, dataset: Dataset): number {
  const { trained, heldOut } = countImages({ training }, dataset);
  if (training.batchSize > trained) {
    throw new AtelierError(
      'impossible-request',
      `A batch of ${training.batchSize} is larger than the training split of ${trained} images ` +
        `(${heldOut} of ${trained + heldOut} images are held out for validation).`,
      { details: [{ pointer: '#/training/batchSize', detail: `must be at most ${trained}` }] },
    );
  }
  return training.epochs * stepsPerEpoch(trained, training.batchSize);
}

/**
 * The progress of a job before its first step.
 * @throws AtelierError `impossible-request` if a batch is larger than the training split
 */
export function initialProgress(request: Pick<TrainingRequest, 'training'>, dataset: Dataset): Progress {
  const { epochs } = request.training;
  const nothing = { epoch: 0, step: 0, fraction: 0, imagesPerSecond: null, etaSeconds: null };
  return { ...nothing, epochs, steps: countSteps(request, dataset) };
}
