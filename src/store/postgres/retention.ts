/** Retention on PostgreSQL: drops weeks of events as a whole, and lets one replica at a time delete. */
import { type Kysely, sql, type Transaction } from 'kysely';
import { hasCode } from '../../errors.ts';
import type { Checkpoints } from '../checkpoints/repository.ts';
import type { Rows } from '../database/rows.ts';
import type { Database } from '../database/tables.ts';
import type { Jobs } from '../jobs/repository.ts';
import type { PredictionJobs } from '../predictions/repository.ts';
import { createRetention, type Retention } from '../retention.ts';
import { SCHEMA } from './connect.ts';
import { endOfPartition, lockPartitions, WEEK_MS } from './partitions.ts';

/** Writers of events wait behind a waiting lock, so it gives up soon and is tried again within the hour. */
const LOCK_TIMEOUT_MS = 200;

/** The events of a week stay a week longer if one of its jobs has not ended; the other jobs' events are then deleted as rows. */
export function createPostgresRetention(
  rows: Rows,
  checkpoints: Pick<Checkpoints, 'expire'>,
  jobs: Pick<Jobs, 'remove'>,
  predictionJobs: Pick<PredictionJobs, 'endedBefore' | 'remove'>,
): Retention {
  const { db } = rows;
  const retention = createRetention(rows, checkpoints, jobs, predictionJobs, claim);
  return {
    ...retention,
    async deleteEvents(endedBefore, signal) {
      for (const partition of await listPartitions(db, endedBefore)) {
        if (!signal.aborted) await dropPartition(db, partition, endedBefore);
      }
      await retention.deleteEvents(new Date(endedBefore.getTime() - WEEK_MS), signal);
    },
  };
}

async function claim(trx: Transaction<Database>): Promise<boolean> {
  const { rows } = await sql<{ claimed: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('atelier retention')) as claimed`.execute(trx);
  return rows[0]!.claimed;
}

/** Names of the partitions of events whose jobs were all created before a time. */
async function listPartitions(db: Kysely<Database>, createdBefore: Date): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class join pg_inherits on inhrelid = oid
    where inhparent = ${`${SCHEMA}.events`}::regclass order by relname`.execute(db);
  return rows
    .map(({ name }) => name)
    .filter((name) => {
      const end = endOfPartition(name);
      return end !== undefined && end <= createdBefore.getTime();
    });
}

/** Does nothing if a job of the partition has not ended before the time, or others use the table right now. */
async function dropPartition(db: Kysely<Database>, name: string, endedBefore: Date): Promise<void> {
  const partition = sql.id(SCHEMA, name);
  try {
    await db.transaction().execute(async (trx) => {
      if (!(await claim(trx))) return;
      // Jumps from job to job in the primary key.
      const { rows } = await sql<{ kept: boolean }>`
        with recursive ids (id) as (
          select min(job_id) from ${partition}
          union all
          select (select min(job_id) from ${partition} where job_id > ids.id) from ids where ids.id is not null
        )
        select exists (
          select from ids join ${sql.id(SCHEMA, 'jobs')} using (id)
          where finished_at is null or finished_at >= ${endedBefore.toISOString()}
        ) as kept`.execute(trx);
      if (rows[0]!.kept) return;
      await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT_MS)}`.execute(trx);
      await lockPartitions(trx);
      await sql`drop table if exists ${partition}`.execute(trx);
    });
  } catch (error) {
    if (!hasCode(error, 'storage-unavailable')) throw error;
  }
}
