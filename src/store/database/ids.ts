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
export async function nextId(trx: Transaction<Database>, table: keyof typeof PREFIXES): Promise<string> {
  // Not the clock of the store: while it stands still, the id of a deleted job would be used again.
  const now = Date.now();
  const newest = await trx.selectFrom(table).select('id').orderBy('id', 'desc').limit(1).executeTakeFirst();
  const prefix = PREFIXES[table];
  const id = `${prefix}${ulid(now)}`;
  if (newest === undefined || newest.id < id) return id;
  const last = newest.id.slice(prefix.length);
  const lastTime = decodeTime(last);
  // Within a millisecond, no job has ended and been deleted.
  return prefix + (lastTime > now ? ulid(lastTime + 1) : incrementBase32(last));
}
