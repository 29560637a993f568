/** Stores the progress and epochs that a running job reports. */
import type { Transaction } from 'kysely';
import type { EpochRecord, FinishedEpoch, Progress } from '../../domain/jobs/epoch-record.ts';
import { ACTIVE_STATUSES, isActive, type JobStatus } from '../../domain/jobs/status.ts';
import type { GradientCheckSummary, JobEvent } from '../../domain/jobs/training.ts';
import { isImprovement } from '../../domain/training/selection-loss.ts';
import { AtelierError } from '../../errors.ts';
import { decodeOptional, encode } from '../database/json-column.ts';
import type { Database, JobRow } from '../database/tables.ts';
import { countEpoch } from '../models/looks.ts';
import { insertEpochRecords, lastEpoch } from './epoch-records.ts';
import { leaseLost, lockForEvent, type RunKey, readLastTime, writeEvent, writeEvents } from './events.ts';

export async function recordProgress(
  trx: Transaction<Database>,
  run: RunKey,
  progress: Progress,
): Promise<void> {
  await storeProgress(trx, await lockActiveJob(trx, run), progress);
}

async function storeProgress(trx: Transaction<Database>, job: JobRow, progress: Progress): Promise<void> {
  await writeEvent(trx, job, 'progress', progress);
  await trx
    .updateTable('jobs')
    .set({ progress: encode(progress) })
    .where('id', '=', job.id)
    .execute();
}

/** Epochs recorded before an interruption are identical when repeated, so they are not recorded again. */
export async function recordEpochs(
  trx: Transaction<Database>,
  run: RunKey,
  epochs: readonly FinishedEpoch[],
  progress: Progress,
): Promise<void> {
  const job = await lockActiveJob(trx, run);
  const lastKnown = await lastEpoch(trx, run.id);
  const added = epochs.filter(({ record }) => record.epoch > lastKnown);
  const last = added.at(-1);
  if (last === undefined) return storeProgress(trx, job, progress);
  const records = added.map(({ record }) => record);
  const events = added.flatMap(epochEvents);
  if (epochs.length > 1) events.push({ type: 'progress', data: progress });
  const written = await writeEvents(trx, job, events);
  await insertEpochRecords(trx, run.id, records);
  const measured = records.findLast(({ testLoss }) => testLoss !== null);
  if (measured) await countEpoch(trx, job, measured.epoch);
  const best = records.reduce<EpochRecord | null>(
    (best, record) => (isImprovement(record, best) ? record : best),
    decodeOptional<EpochRecord>(job.best),
  );
  await trx
    .updateTable('jobs')
    .set({
      progress: encode(progress),
      unclean_ends: 0,
      event_count: written.at(-1)!.id,
      latest: encode(last.record),
      warnings: encode(last.warnings),
      best: encode(best),
    })
    .where('id', '=', run.id)
    .execute();
}

function epochEvents({ record, warnings }: FinishedEpoch): Pick<JobEvent, 'type' | 'data'>[] {
  const { epoch } = record;
  return [
    { type: 'epoch', data: record },
    ...warnings.map((warning) => ({ type: 'warning', data: { ...warning, epoch } }) as const),
  ];
}

/** Writes no event, unlike the other reports. */
export async function recordGradientCheck(
  trx: Transaction<Database>,
  { id, run }: RunKey,
  report: GradientCheckSummary,
): Promise<void> {
  const job = await trx
    .updateTable('jobs')
    .set({ gradient_check: encode(report) })
    .where('id', '=', id)
    .where('run', '=', run)
    .returning('status')
    .executeTakeFirst();
  if (job === undefined) throw leaseLost({ id, run });
  assertActive(id, job.status);
}

export async function recordWarning(
  trx: Transaction<Database>,
  run: RunKey,
  warning: JobEvent['data'],
): Promise<void> {
  await writeEvent(trx, await lockActiveJob(trx, run), 'warning', warning);
}

/** Sets `waiting` of an active job, with a `warning` event. Does nothing if it is set already, or if the run has ended. */
export async function recordWaiting(
  trx: Transaction<Database>,
  { id, run }: RunKey,
  waiting: 'storage' | null,
  warning: JobEvent['data'],
): Promise<void> {
  const job = await trx
    .updateTable('jobs')
    .set((eb) => ({ waiting, event_count: eb('event_count', '+', 1) }))
    .where('id', '=', id)
    .where('run', '=', run)
    .where('status', 'in', [...ACTIVE_STATUSES])
    .where('waiting', waiting === null ? 'is not' : 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (job === undefined) return;
  await readLastTime(trx, job);
  await writeEvent(trx, job, 'warning', { ...warning, waiting });
}

/**
 * Locks the row of a run that has not ended: late reports must not change a job that has been released or has ended.
 * @throws AtelierError `lease-lost`, `illegal-transition`
 */
export async function lockActiveJob(trx: Transaction<Database>, run: RunKey): Promise<JobRow> {
  const job = await lockForEvent(trx, run);
  assertActive(job.id, job.status);
  return job;
}

function assertActive(id: string, status: JobStatus): void {
  if (isActive(status)) return;
  throw new AtelierError('illegal-transition', `Training job ${id} is ${status}: its run has ended.`);
}
