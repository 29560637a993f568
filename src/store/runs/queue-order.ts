/** Order of the queue, defined only here: jobs of higher rank first, and jobs of equal rank as they were created. */
import { type Kysely, sql } from 'kysely';
import { countRows } from '../database/rows.ts';
import type { Database } from '../database/tables.ts';

/** The place of a job in the queue. */
export interface QueuePosition {
  readonly id: string;
  readonly rank: number;
}

export interface QueuedJob extends QueuePosition {
  /** JSON of the environment whose checkpoints the job continues from; null without checkpoints. */
  readonly origin: string | null;
}

/**
 * An integer, because it is also the priority of the job's ticket. At equal priority, the jobs of searches wait for those that
 * people have started.
 */
export const RANK = sql<number>`(2 * jobs.priority + case when jobs.search_id is null then 1 else 0 end)`;

/** The rank of a job that belongs to no search. */
const rankOf = (priority: number) => 2 * priority + 1;

/** Number of queued jobs that start before a new one of this priority. */
export function countAhead(db: Kysely<Database>, priority: number): Promise<number> {
  const queued = db.selectFrom('jobs').where('status', '=', 'queued');
  return countRows(queued.where(RANK, '>=', rankOf(priority)));
}

/** Queued jobs that start before a new one of this priority. */
export function selectAhead(db: Kysely<Database>, priority: number) {
  return selectQueued(db).where(RANK, '>=', rankOf(priority));
}

/** @param after only jobs behind this position */
export function selectQueued(db: Kysely<Database>, after?: QueuePosition) {
  const queued = db
    .selectFrom('jobs')
    .select(['id', RANK.as('rank')])
    .where('status', '=', 'queued')
    .orderBy(RANK, 'desc')
    .orderBy('id');
  if (after === undefined) return queued;
  return queued.where((eb) =>
    eb.or([eb(RANK, '<', after.rank), eb.and([eb(RANK, '=', after.rank), eb('id', '>', after.id)])]),
  );
}
