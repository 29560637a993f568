/** Ids of jobs and searches: a prefix and a ULID, ascending in the order in which the jobs become visible. */
import type { Transaction } from 'kysely';
import { decodeTime, incrementBase32, ulid } from 'ulid';
import type { Database } from './tables.ts';

const PREFIXES = { jobs: 'job_', prediction_jobs: 'prd_', searches: 'sea_' } as const;

/**
 * Ids ascend in the order in which jobs become visible, as the queue and cursors require, even if the clock was set back.
 * The id of a deleted job is not used again, because versions refer to it. Call it in the transaction that inserts the job,
 * when it has locked the queue.
 */
export async function nextId(
  trx: Transaction<Database>,
  table: keyof typeof PREFIXES,
  createdAt: string,
): Promise<string> {
  // While the clock of the store stands still, the clock of the machine: the id of a deleted job would be used again.
  const now = Math.min(Date.parse(createdAt), Date.now());
  const newest = await trx.selectFrom(table).select('id').orderBy('id', 'desc').limit(1).executeTakeFirst();
  const prefix = PREFIXES[table];
  const id = `${prefix}${ulid(now)}`;
  if (newest === undefined || newest.id < id) return id;
  const last = newest.id.slice(prefix.length);
  const lastTime = decodeTime(last);
  // Within a millisecond, no job has ended and been deleted.
  return prefix + (lastTime > now ? ulid(lastTime + 1) : incrementBase32(last));
}
