/** The runs of all processes that share the database. */
import { type Kysely, sql } from 'kysely';
import { ACTIVE_STATUSES } from '../../../domain/jobs/status.ts';
import type { Database } from '../../database/tables.ts';
import { LIVE } from './processes.ts';

export interface SharedRun {
  /** Id of the job */
  readonly id: string;
  readonly run: number;
  readonly runner: string | null;
  readonly status: string;
  /** Whether the runner is not a live process */
  readonly isLost: boolean;
}

/**
 * The active runs, and the last ones of the jobs with these ids. One statement, so a replica cannot join and start a job
 * between reading the replicas and reading the jobs.
 */
export async function readRuns(
  db: Kysely<Database>,
  table: 'jobs' | 'prediction_jobs',
  jobIds: readonly string[],
): Promise<readonly SharedRun[]> {
  const { rows } = await sql<SharedRun>`
    select id, run, runner, status, not exists (
      select from atelier.replicas where replicas.id = job.runner and ${sql.raw(LIVE)}
    ) as "isLost"
    from atelier.${sql.ref(table)} as job
    where status in (${sql.join(ACTIVE_STATUSES)}) or id = any(${jobIds})`.execute(db);
  return rows;
}
