/** Inserts a queued job, with its labels and its first event. */
import type { Transaction } from 'kysely';
import type { Progress } from '../../domain/jobs/epoch-record.ts';
import type { Notify } from '../../domain/jobs/notify.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { ReproductionTarget } from '../../domain/training/reproducibility.ts';
import { nextId } from '../database/ids.ts';
import type { Database } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';
import { assertDataset } from '../datasets/rows.ts';
import { assertModels } from '../models/versions.ts';
import { insertWebhook } from '../webhooks/messages.ts';
import { assertTarget } from './delete.ts';
import { writeEvent } from './events.ts';
import { insertLabels } from './labels.ts';
import { newJobRow, type SearchMembership, toJob, traceOf } from './rows.ts';

/** A training job to insert. */
export interface NewJob {
  readonly request: ResolvedTrainingRequest;
  readonly progress: Progress;
  /** The job to repeat; for a verification, which publishes nothing. */
  readonly target?: ReproductionTarget | undefined;
  /** A webhook reports the end of the job. */
  readonly notify?: Notify | undefined;
  /** Trace context of the request that creates the job. */
  readonly traceparent?: string | null | undefined;
  /** For a job of a search. */
  readonly search?: SearchMembership | undefined;
}

/**
 * The caller must have locked the queue.
 * @throws AtelierError `unknown-dataset`, `unknown-model`, `training-job-not-found` if what the job needs has been deleted
 */
export async function insertJob(
  trx: Transaction<Database>,
  { request, progress, target, notify, search, traceparent = null }: NewJob,
): Promise<TrainingJob> {
  await assertDataset(trx, request);
  await assertModels(trx, request);
  await assertTarget(trx, target);
  const createdAt = timestamp();
  const id = await nextId(trx, 'jobs', createdAt);
  const url = notify?.url ?? null;
  const row = newJobRow(id, createdAt, request, progress, target ?? null, url, search ?? null, traceparent);
  await trx.insertInto('jobs').values(row).execute();
  await insertLabels(trx, row.id, request);
  if (notify) await insertWebhook(trx, row.id, notify);
  await writeEvent(trx, row, 'status', { to: 'queued', ...traceOf(row) });
  return toJob(row);
}
