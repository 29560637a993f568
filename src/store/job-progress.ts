/** What a running job reports. */
import type { Transaction } from 'kysely';
import { type EpochRecord, isBetter, type Progress } from '../domain/metrics.ts';
import type { GradientCheckSummary } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import { claimEvent, writeEvent } from './events.ts';
import { toRecord } from './job-rows.ts';
import { encode } from './json.ts';
import { insertRecord } from './metrics.ts';
import type { Database, JobRow } from './tables.ts';

export async function recordProgress(
  trx: Transaction<Database>,
  id: string,
  progress: Progress,
): Promise<void> {
  const job = await claimAtWork(trx, id);
  await writeEvent(trx, job, 'progress', progress);
  await trx
    .updateTable('jobs')
    .set({ progress: encode(progress) })
    .where('id', '=', id)
    .execute();
}

export async function recordEpoch(
  trx: Transaction<Database>,
  id: string,
  record: EpochRecord,
  progress: Progress,
): Promise<void> {
  const job = await claimAtWork(trx, id);
  await writeEvent(trx, job, 'epoch', record);
  await insertRecord(trx, id, record);
  const latest = encode(record);
  await trx
    .updateTable('jobs')
    .set({
      progress: encode(progress),
      latest,
      best: isBetter(record, toRecord(job.best)) ? latest : job.best,
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
    .where('status', 'in', ['running', 'cancelling'])
    .executeTakeFirst();
  if (numUpdatedRows === 0n)
    throw new AtelierError('illegal-transition', `training job "${id}" does not run`);
}

/** A late report of a thread must not change what a job that is queued again or has ended shows. */
async function claimAtWork(trx: Transaction<Database>, id: string): Promise<JobRow> {
  const job = await claimEvent(trx, id);
  if (job.status === 'running' || job.status === 'cancelling') return job;
  throw new AtelierError(
    'illegal-transition',
    `training job "${id}" is ${job.status} and records no progress`,
  );
}
