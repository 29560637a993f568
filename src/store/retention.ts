/** Retention: deletes the events and checkpoints of jobs that ended long ago, in small transactions. */
import type { Transaction } from 'kysely';
import { encodeTime } from 'ulid';
import type { Checkpoints } from './checkpoints.ts';
import type { Rows } from './rows.ts';
import type { Database } from './tables.ts';

export interface Retention {
  /** Deletes the events of jobs that ended before a time; the jobs and their metrics stay. */
  deleteEvents(endedBefore: Date, signal: AbortSignal): Promise<void>;
  /** Deletes the checkpoints of jobs that ended before a time, except those that an unfinished job starts from. */
  deleteCheckpoints(endedBefore: Date, signal: AbortSignal): Promise<void>;
}

/** Whether this process is the one that deletes; called in every transaction. */
export type ClaimRetention = (trx: Transaction<Database>) => Promise<boolean>;

/** Rows per transaction: a few milliseconds on either database. */
const BATCH_ROWS = 500;
const TIME_CHARS = 10;

export function createRetention(
  { db, inTransaction }: Rows,
  checkpoints: Pick<Checkpoints, 'expire'>,
  claim: ClaimRetention = async () => true,
): Retention {
  /** Jobs with rows in the table, found by jumping from one job to the next in its primary key. */
  async function* endedJobs(table: 'events' | 'checkpoints', endedBefore: Date, signal: AbortSignal) {
    // An id begins with the time of its creation, and a job created later cannot have ended before.
    const createdBefore = `job_${encodeTime(endedBefore.getTime(), TIME_CHARS)}`;
    for (let last = ''; !signal.aborted; ) {
      const next = await db
        .selectFrom(table)
        .select('job_id')
        .where('job_id', '>', last)
        .where('job_id', '<', createdBefore)
        .orderBy('job_id')
        .limit(1)
        .executeTakeFirst();
      if (next === undefined) return;
      last = next.job_id;
      const ended = await db
        .selectFrom('jobs')
        .select('id')
        .where('id', '=', last)
        .where('finished_at', '<', endedBefore.toISOString())
        .executeTakeFirst();
      if (ended) yield last;
    }
  }

  /**
   * Deletes the first events of a job. The first one goes first, so its absence shows that events were deleted.
   * @returns whether events are left to delete
   */
  const deleteBatch = (jobId: string) =>
    inTransaction(async (trx) => {
      const first = await trx
        .selectFrom('events')
        .select('id')
        .where('job_id', '=', jobId)
        .orderBy('id')
        .limit(1)
        .executeTakeFirst();
      if (first === undefined || !(await claim(trx))) return false;
      await trx
        .deleteFrom('events')
        .where('job_id', '=', jobId)
        .where('id', '<', first.id + BATCH_ROWS)
        .execute();
      return true;
    });

  return {
    async deleteEvents(endedBefore, signal) {
      for await (const jobId of endedJobs('events', endedBefore, signal)) {
        while (!signal.aborted && (await deleteBatch(jobId)));
      }
    },
    async deleteCheckpoints(endedBefore, signal) {
      for await (const jobId of endedJobs('checkpoints', endedBefore, signal)) {
        await checkpoints.expire(jobId, claim);
      }
    },
  };
}
