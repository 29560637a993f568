/** Retention: deletes jobs that ended long ago, or their events and checkpoints, in small transactions. */
import { sql, type Transaction } from 'kysely';
import { encodeTime } from 'ulid';
import { hasCode } from '../errors.ts';
import type { Checkpoints } from './checkpoints/repository.ts';
import type { Rows } from './database/rows.ts';
import type { Database } from './database/tables.ts';
import { listUses } from './jobs/delete.ts';
import type { Jobs } from './jobs/repository.ts';
import type { PredictionJobs } from './predictions/repository.ts';

export type Retention = ReturnType<typeof createRetention>;

/** Whether this process is the one that deletes; called in every transaction. */
export type ClaimRetention = (trx: Transaction<Database>) => Promise<boolean>;

/** Rows per transaction: a few milliseconds on either database. */
const BATCH_ROWS = 500;
/** Prediction jobs that are deleted one after the other before the next ones are looked for. */
const BATCH_JOBS = 100;
const TIME_CHARS = 10;

export function createRetention(
  { db, inTransaction }: Rows,
  checkpoints: Pick<Checkpoints, 'expire'>,
  jobs: Pick<Jobs, 'remove'>,
  predictionJobs: Pick<PredictionJobs, 'endedBefore' | 'remove'>,
  claim: ClaimRetention = async () => true,
) {
  /** Jobs with rows in the table, found by jumping from one job to the next in its primary key. */
  async function* endedJobs(
    table: 'events' | 'checkpoints' | 'jobs',
    endedBefore: Date,
    signal: AbortSignal,
  ) {
    const column = table === 'jobs' ? 'id' : 'job_id';
    // An id begins with the time of its creation, and a job created later cannot have ended before.
    const createdBefore = `job_${encodeTime(endedBefore.getTime(), TIME_CHARS)}`;
    for (let last = ''; !signal.aborted; ) {
      const next = await db
        .selectFrom(table)
        .select(sql.ref<string>(column).as('job_id'))
        .where(sql.ref(column), '>', last)
        .where(sql.ref(column), '<', createdBefore)
        .orderBy(sql.ref(column))
        .limit(1)
        .executeTakeFirst();
      if (next === undefined) return;
      last = next.job_id;
      const ended = await db
        .selectFrom('jobs')
        .select('id')
        .where('id', '=', last)
        .where('finished_at', '<', endedBefore.toISOString())
        // Jobs of searches are deleted with them.
        .$if(table === 'jobs', (query) => query.where('search_id', 'is', null))
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

  /** The results of a batch take seconds to remove, at most. */
  async function deletePredictions(endedBefore: Date, signal: AbortSignal): Promise<void> {
    for (let ids = ['']; ids.length > 0 && !signal.aborted; ) {
      ids = (await inTransaction(claim)) ? await predictionJobs.endedBefore(endedBefore, BATCH_JOBS) : [];
      for (const id of ids) {
        if (signal.aborted) return;
        await predictionJobs.remove(id).catch((error) => {
          // A client has deleted it since then.
          if (!hasCode(error, 'prediction-job-not-found')) throw error;
        });
      }
    }
  }

  return {
    /** Deletes the events of jobs that ended before a time; the jobs and their metrics stay. */
    async deleteEvents(endedBefore: Date, signal: AbortSignal) {
      for await (const jobId of endedJobs('events', endedBefore, signal)) {
        while (!signal.aborted && (await deleteBatch(jobId)));
      }
    },
    /** Deletes the checkpoints of jobs that ended before a time, except those that an unfinished job starts from. */
    async deleteCheckpoints(endedBefore: Date, signal: AbortSignal) {
      for await (const jobId of endedJobs('checkpoints', endedBefore, signal)) {
        await checkpoints.expire(jobId, claim);
      }
    },
    /** Deletes jobs and prediction jobs that ended before a time, except jobs that an unfinished one starts from or verifies. */
    async deleteJobs(endedBefore: Date, signal: AbortSignal) {
      for await (const jobId of endedJobs('jobs', endedBefore, signal)) {
        if ((await listUses(db, jobId)).length > 0) continue;
        // The job itself goes last, in one transaction with the few rows that are left.
        while (!signal.aborted && (await deleteBatch(jobId)));
        if (signal.aborted) return;
        await jobs.remove(jobId).catch((error) => {
          // Another process has deleted it, or it is in use since.
          if (!hasCode(error, 'training-job-not-found', 'training-job-in-use')) throw error;
        });
      }
      await deletePredictions(endedBefore, signal);
    },
  };
}
