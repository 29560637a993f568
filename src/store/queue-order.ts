/** Order of the queue, defined only here: jobs of higher rank first, and jobs of equal rank as they were created. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './tables.ts';

/** The place of a job in the queue. */
export interface QueuePosition {
  readonly id: string;
  readonly rank: number;
}

/** An integer, because it is also the priority of the job's ticket. */
export const RANK = sql<number>`jobs.priority`;

/** Number of queued jobs that start before a new one of this rank. */
export async function countAhead(db: Kysely<Database>, rank: number): Promise<number> {
  const { count } = await db
    .selectFrom('jobs')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('status', '=', 'queued')
    .where(RANK, '>=', rank)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Queued jobs that start before a new one of this rank. */
export function selectAhead(db: Kysely<Database>, rank: number) {
  return selectQueued(db).where(RANK, '>=', rank);
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
