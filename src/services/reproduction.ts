/** A training that is done again from its receipt: whether it can be, and what is different about it. */
import type { Catalog } from '../datasets/catalog.ts';
import type { Dataset } from '../domain/dataset.ts';
import type { ReproductionTarget } from '../domain/reproducibility.ts';
import type { Receipt, ResolvedTrainingRequest, TrainingJob } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { ModelService } from './models.ts';
import { resolveWarmStart } from './warm-start.ts';

/**
 * @throws AtelierError `illegal-transition` where the job has not succeeded; `impossible-request` where what it was
 *   trained from is not known, or not there any more
 */
export async function prepareReproduction(
  { id, status, digest, receipt }: TrainingJob,
  catalog: Catalog,
  models: ModelService,
): Promise<{ request: ResolvedTrainingRequest; dataset: Dataset; target: ReproductionTarget }> {
  if (status !== 'succeeded' || digest === null) {
    throw new AtelierError(
      'illegal-transition',
      `A ${status} job cannot be verified: ${id} has no final parameters to compare with. Only succeeded jobs can.`,
    );
  }
  if (receipt === null) {
    throw new AtelierError(
      'impossible-request',
      `Training job ${id} has no receipt: it ran before receipts were kept. Train it anew with the same request.`,
    );
  }
  const { request, kernel, fused } = receipt;
  const dataset = assertSameDataset(receipt, id, await catalog.get(receipt.dataset.id));
  await resolveWarmStart(request, dataset, models).catch((error) => {
    if (!(error instanceof AtelierError)) throw error;
    const message = `Training job ${id} cannot be trained again, because what it started from is gone. ${error.message}`;
    throw new AtelierError('impossible-request', message, { cause: error });
  });
  return { request, dataset, target: { of: id, expected: digest, kernel, fused } };
}

/**
 * null for a job that repeats no other. Time is no part of what is repeated: where it ended the training, the
 * repetition ends after the same step.
 * @throws AtelierError `impossible-request` where the data set has become another since the job was created
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

function assertSameDataset(
  { dataset: { id, digest } }: Receipt,
  jobId: string,
  now: Dataset | undefined,
): Dataset {
  if (now?.digest === digest) return now;
  throw new AtelierError(
    'impossible-request',
    `Training job ${jobId} was trained on data set ${id} of ${digest}, which ${now ? `is ${now.digest} now` : 'is gone'}. ` +
      'Only the same data gives the same parameters: bring it back.',
  );
}
