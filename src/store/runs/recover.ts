/** Recovers jobs whose runner ended without releasing them. */
import type { Kysely, Transaction } from 'kysely';
import { ACTIVE_STATUSES, type JobStatus } from '../../domain/jobs/status.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { Database, JobRow } from '../database/tables.ts';
import { failDamagedJob, toReadableJob } from '../jobs/damaged.ts';
import { lockForEvent, type RunKey, writeEvent } from '../jobs/events.ts';
import { toJob } from '../jobs/rows.ts';
import { change, releaseJob } from '../jobs/status.ts';
import { describeUncleanEnds, MAX_UNCLEAN_ENDS } from './unclean-ends.ts';

/**
 * Releases an active job whose runner has ended: a pausing job is paused, a cancelling one cancelled, a running one
 * queued again, or paused with a reason if the process has ended too often during the job. A damaged job fails. The run
 * is raised, so that a runner that was only slow can write nothing more.
 * @returns the row of the released job, or null if the run is not the current one or has ended
 */
export async function recoverRun(trx: Transaction<Database>, { id, run }: RunKey): Promise<JobRow | null> {
  const row = await trx
    .updateTable('jobs')
    .set((eb) => ({ run: eb('run', '+', 1), unclean_ends: eb('unclean_ends', '+', 1) }))
    .where('id', '=', id)
    .where('run', '=', run)
    .where('status', 'in', [...ACTIVE_STATUSES])
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return null;
  if (toReadableJob(row)) await release(trx, row);
  else await failDamagedJob(trx, row);
  return trx.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

/** A job during which the process has ended too often is paused. */
async function release(trx: Transaction<Database>, row: JobRow): Promise<void> {
  const { id, unclean_ends: uncleanEnds } = row;
  const job = await releaseJob(trx, row);
  if (job.status !== 'queued' || uncleanEnds < MAX_UNCLEAN_ENDS) return;
  const reason = describeUncleanEnds(
    uncleanEnds,
    ', and it has stored neither a checkpoint nor an epoch since the first time',
  );
  await writeEvent(trx, await lockForEvent(trx, id), 'warning', {
    code: 'paused-by-service',
    message: reason,
  });
  await change(trx, id, () => ({ status: 'paused', pause_reason: reason }));
}

/** Recovers every active job, without the damaged ones in the result. No runner may be alive. */
export async function recoverInterrupted(trx: Transaction<Database>): Promise<TrainingJob[]> {
  await trx.updateTable('jobs').set({ waiting: null }).where('status', '=', 'queued').execute();
  const jobs: TrainingJob[] = [];
  for (const run of await selectActiveRuns(trx)) {
    const row = await recoverRun(trx, run);
    if (row !== null && toReadableJob(row)) jobs.push(toJob(row));
  }
  return jobs;
}

export interface ActiveRun extends RunKey {
  readonly runner: string | null;
  readonly status: JobStatus;
}

export function selectActiveRuns(db: Kysely<Database>): Promise<ActiveRun[]> {
  return db
    .selectFrom('jobs')
    .select(['id', 'run', 'runner', 'status'])
    .where('status', 'in', [...ACTIVE_STATUSES])
    .orderBy('id')
    .execute();
}
