/** Stores the progress and epochs that a running job reports. */
import type { Transaction } from 'kysely';
import { type EpochRecord, isImprovement, type Progress } from '../domain/epoch-record.ts';
import { ACTIVE_STATUSES, type GradientCheckSummary, type JobStatus } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import type { EpochWarning } from '../numerics/epoch-warnings.ts';
import { insertEpochRecord } from './epoch-records.ts';
import { lockForEvent, writeEvent } from './events.ts';
import { toRecord } from './job-rows.ts';
import { encode } from './json-column.ts';
import type { Database, JobRow } from './tables.ts';

export async function recordProgress(
  trx: Transaction<Database>,
  id: string,
  progress: Progress,
): Promise<void> {
  const job = await lockActiveJob(trx, id);
  await writeEvent(trx, job, 'progress', progress);
  await trx
    .updateTable('jobs')
    .set({ progress: encode(progress) })
    .where('id', '=', id)
    .execute();
}

/** An epoch recorded before an interruption is identical when repeated, so only its progress is recorded again. */
export async function recordEpoch(
  trx: Transaction<Database>,
  id: string,
  record: EpochRecord,
  warnings: readonly EpochWarning[],
  progress: Progress,
): Promise<void> {
  const { epoch } = record;
  const known = trx.selectFrom('metrics').select('epoch').where('job_id', '=', id).where('epoch', '=', epoch);
  if ((await known.executeTakeFirst()) !== undefined) return recordProgress(trx, id, progress);
  const job = await lockActiveJob(trx, id);
  await writeEvent(trx, job, 'epoch', record);
  for (const warning of warnings) {
    await writeEvent(trx, await lockForEvent(trx, id), 'warning', { ...warning, epoch });
  }
  await insertEpochRecord(trx, id, record);
  const latest = encode(record);
  await trx
    .updateTable('jobs')
    .set({
      progress: encode(progress),
      unclean_ends: 0,
      latest,
      best: isImprovement(record, toRecord(job.best)) ? latest : job.best,
    })
    .where('id', '=', id)
    .execute();
}

export async function recordGradientCheck(
  trx: Transaction<Database>,
  id: string,
  report: GradientCheckSummary,
): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('jobs')
    .set({ gradient_check: encode(report) })
    .where('id', '=', id)
    .where('status', 'in', [...ACTIVE_STATUSES])
    .executeTakeFirst();
  if (numUpdatedRows === 0n)
    throw new AtelierError('illegal-transition', `Training job ${id} is not active.`);
}

/** Rejects late reports of a thread, which must not change a job that has been requeued or has ended. */
export async function lockActiveJob(trx: Transaction<Database>, id: string): Promise<JobRow> {
  const job = await lockForEvent(trx, id);
  if (isActive(job.status)) return job;
  throw new AtelierError(
    'illegal-transition',
    `Training job ${id} is ${job.status} and cannot record progress.`,
  );
}

function isActive(status: JobStatus): boolean {
  return ACTIVE_STATUSES.some((active) => active === status);
}
