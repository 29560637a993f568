/** Jobs whose row is damaged: they fail, so that one damaged value cannot stop the queue or the list. */
import type { Transaction } from 'kysely';
import { type JobStatus, transition } from '../../domain/jobs/status.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { Database, JobRow } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';
import { queueMessage } from '../webhooks/messages.ts';
import { lockForEvent, writeEvent } from './events.ts';
import { toJob } from './rows.ts';

const ERROR = {
  code: 'state-unusable',
  message:
    'The row of this job in the database is damaged: a value cannot be read. ' +
    'Start a new job with the same request, or restore the database from a backup.',
} as const;

/** Returns undefined if a value of the row cannot be read. */
export function toReadableJob(row: JobRow): TrainingJob | undefined {
  try {
    return toJob(row);
  } catch {
    return undefined;
  }
}

/** Fails a queued or active job without reading or changing its damaged values. */
export async function failDamagedJob(
  trx: Transaction<Database>,
  { id, status, created_at, started_at }: JobRow,
): Promise<void> {
  // A queued job cannot fail, so it becomes running first.
  if (status === 'queued') await setStatus(trx, id, { status: 'running' });
  await writeEvent(trx, await lockForEvent(trx, id), 'error', ERROR);
  await setStatus(trx, id, {
    status: 'failed',
    runner: null,
    finished_at: timestamp(started_at ?? created_at),
    stopped_step: 0,
    stopped_reason: 'failed',
    error_code: ERROR.code,
    error_message: ERROR.message,
  });
}

async function setStatus(
  trx: Transaction<Database>,
  id: string,
  values: Partial<JobRow> & { readonly status: JobStatus },
): Promise<void> {
  const before = await lockForEvent(trx, id);
  const to = transition(before.status, values.status);
  const update = trx.updateTable('jobs').set(values).where('id', '=', id);
  await queueMessage(trx, await update.returningAll().executeTakeFirstOrThrow());
  await writeEvent(trx, before, 'status', { from: before.status, to });
}
