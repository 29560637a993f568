/** All migrations of PostgreSQL: the portable ones and its own, in one sequence; its own of the same name go further. */
import type { Migration } from 'kysely/migration';
import { migrations as portable } from '../../migrations/all.ts';
import * as postgres from './0012-postgres.ts';
import * as blobs from './0013-blobs.ts';
import * as replicas from './0014-replicas.ts';
import * as limits from './0015-limits.ts';
import * as jobDeletion from './0020-job-deletion.ts';
import * as predictionJobs from './0023-prediction-jobs.ts';
import * as searches from './0026-searches.ts';

export const migrations: Readonly<Record<string, Migration>> = {
  ...portable,
  '0012-postgres': postgres,
  '0013-blobs': blobs,
  '0014-replicas': replicas,
  '0015-limits': limits,
  '0020-job-deletion': jobDeletion,
  '0023-prediction-jobs': predictionJobs,
  '0026-searches': searches,
};
