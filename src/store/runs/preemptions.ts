/** Preemptions: which running job is stopped in favour of a queued one of higher rank. */
import { type Kysely, sql } from 'kysely';
import { ACTIVE_STATUSES, type JobStatus } from '../../domain/jobs/status.ts';
import { decode, encode } from '../database/json-column.ts';
import type { Database } from '../database/tables.ts';
import type { RunKey } from '../jobs/events.ts';
import type { StoredPreemption } from '../jobs/rows.ts';
import { type QueuePosition, RANK } from './queue-order.ts';

export interface ActiveJob extends QueuePosition {
  readonly run: number;
  readonly runner: string | null;
  readonly status: JobStatus;
}

/** A queued job, and the jobs that occupy slots. */
export interface Contest extends QueuePosition {
  readonly origin: string | null;
  /** JSON of a StoredPreemption, with the run that was last stopped for the job */
  readonly preemption: string | null;
  /** Id of the job whose run was recorded as stopped for this one and has not ended yet */
  readonly stopping: string | null;
  /** The lowest rank first; of equal rank, the youngest first */
  readonly active: readonly ActiveJob[];
}

/** @returns null if the job is not queued */
export async function readContest(db: Kysely<Database>, id: string): Promise<Contest | null> {
  const waiting = await db
    .selectFrom('jobs')
    .select(['id', RANK.as('rank'), 'origin', 'preemption'])
    .where('id', '=', id)
    .where('status', '=', 'queued')
    .executeTakeFirst();
  if (waiting === undefined) return null;
  const active = await db
    .selectFrom('jobs')
    .select(['id', RANK.as('rank'), 'run', 'runner', 'status'])
    .where('status', 'in', [...ACTIVE_STATUSES])
    .orderBy(RANK)
    .orderBy('id', 'desc')
    .execute();
  return { ...waiting, active, stopping: findActiveRun(waiting.preemption, active) };
}

function findActiveRun(encoded: string | null, active: readonly ActiveJob[]): string | null {
  if (encoded === null) return null;
  const stopped = decode<StoredPreemption>(encoded);
  return active.find(({ id, run }) => id === stopped.id && run === stopped.run)?.id ?? null;
}

/**
 * Records that a run is stopped for a queued job, unless that has changed since the contest was read. So of several
 * processes, one stops a job.
 * @returns whether it was recorded
 */
export async function recordPreemption(
  db: Kysely<Database>,
  { id, preemption }: Contest,
  { id: victim, run }: RunKey,
): Promise<boolean> {
  const before = preemption === null ? {} : decode<StoredPreemption>(preemption);
  const { numUpdatedRows } = await db
    .updateTable('jobs')
    .set({ preemption: encode({ ...before, id: victim, run } satisfies StoredPreemption) })
    .where('id', '=', id)
    .where('status', '=', 'queued')
    .where('preemption', 'is not distinct from', sql.val(preemption))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
