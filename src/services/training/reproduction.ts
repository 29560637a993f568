/** Reproduces a training from its receipt: checks that it is possible and adapts the plan. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { Dataset } from '../../domain/datasets/representation.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import type { Receipt, TrainingJob } from '../../domain/jobs/training.ts';
import type { ReproductionTarget } from '../../domain/training/reproducibility.ts';
import { AtelierError, hasCode } from '../../errors.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { ModelService } from '../models/catalog.ts';
import { loadTeachers } from './teachers.ts';
import { resolveWarmStart } from './warm-start.ts';

/**
 * Returns what a verification of the job needs.
 * @throws AtelierError `illegal-transition` if the job has not succeeded; `impossible-request` if its receipt, data
 *   set, warm start or a teacher is missing, if its data set has changed, or if it ran in several environments; `dataset-damaged`
 */
export async function prepareReproduction(
  { id, status, digest, receipt }: TrainingJob,
  catalog: Catalog,
  models: ModelService,
): Promise<{ request: ResolvedTrainingRequest; dataset: Dataset; target: ReproductionTarget }> {
  if (status !== 'succeeded' || digest === null) {
    throw new AtelierError(
      'illegal-transition',
      `Training job ${id} is ${status} and cannot be verified. Only succeeded jobs have final parameters.`,
    );
  }
  if (receipt === null) {
    throw new AtelierError(
      'impossible-request',
      `Training job ${id} has no receipt: it ran before receipts were introduced. Start a new job with the same request.`,
    );
  }
  if (receipt.mixed) {
    throw new AtelierError(
      'impossible-request',
      `Training job ${id} cannot be verified: it continued on another kernel, or on a processor that rounds differently, ` +
        'so no single environment gives its digest. Start a new job with the same request.',
    );
  }
  const { request, kernel, fused } = receipt;
  const dataset = assertSameDataset(receipt, id, await catalog.get(receipt.dataset.id));
  await resolveWarmStart(request, dataset, models).catch(missing('its warm start'));
  await loadTeachers(request, dataset, models).catch(missing('one of its teachers'));
  return { request, dataset, target: { of: id, expected: digest, kernel, fused } };

  function missing(what: string): (error: unknown) => never {
    return (error) => {
      if (!(error instanceof AtelierError) || hasCode(error, 'storage-unavailable')) throw error;
      const message = `Training job ${id} cannot be repeated, because ${what} no longer exists. ${error.message}`;
      throw new AtelierError('impossible-request', message, { cause: error });
    };
  }
}

/**
 * Returns null for a job that is not a reproduction. A training that was ended by its time budget is reproduced up to the
 * same step, since time is not reproducible.
 * @throws AtelierError `impossible-request` if the data set has changed since the job was created
 */
export async function reproductionOptions(
  { verification }: TrainingJob,
  dataset: Dataset,
  jobs: Pick<Store['jobs'], 'get'>,
): Promise<{ readonly stopAtStep: number | null } | null> {
  if (verification === null) return null;
  const { receipt } = (await jobs.get(verification.of))!;
  assertSameDataset(receipt!, verification.of, dataset);
  const { step, reason } = receipt!.stoppedAt;
  return { stopAtStep: reason === 'budget' ? step : null };
}

/** @throws AtelierError `impossible-request` if a job was trained on other data than the data set has `now` */
export function assertSameDataset<Now extends Pick<Dataset, 'digest'>>(
  { dataset: { id, digest } }: Pick<Receipt, 'dataset'>,
  jobId: string,
  now: Now | undefined,
): Now {
  if (now?.digest === digest) return now;
  throw new AtelierError(
    'impossible-request',
    `Training job ${jobId} was trained on data set ${id} with digest ${digest}. That data set ` +
      `${now ? `now has digest ${now.digest}` : 'no longer exists'}. Only the same data gives the same bits. Upload it again, or restore its files.`,
  );
}
