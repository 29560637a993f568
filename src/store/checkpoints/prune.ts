/** Removes checkpoints that are not needed any more: while a job trains, and once it has succeeded. */
import type { Transaction } from 'kysely';
import type { KeptCheckpoints } from '../../domain/jobs/request.ts';
import { UNFINISHED_STATUSES } from '../../domain/jobs/status.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { CheckpointRow, Database } from '../database/tables.ts';

/** Number of latest checkpoints kept besides the best. If the latest one is damaged, an older one is used. */
const LAST_KEPT = 3;

/** @param rows all checkpoints of one job, in any order @returns digests of the removed ones */
export async function pruneCheckpoints(
  trx: Transaction<Database>,
  rows: readonly CheckpointRow[],
): Promise<string[]> {
  const ascending = rows.toSorted((a, b) => a.step - b.step);
  const best = findBest(ascending);
  return removeUnreferenced(
    trx,
    ascending.slice(0, -LAST_KEPT).filter((row) => row !== best),
  );
}

/**
 * Call in the transaction in which the job succeeds. It has locked the row, so a job that is just being created from one
 * of the checkpoints either is visible, or fails.
 * @returns digests of the removed ones
 */
export async function pruneSucceeded(
  trx: Transaction<Database>,
  { id, training: { keepCheckpoints = 'all' } }: Pick<TrainingJob, 'id' | 'training'>,
): Promise<string[]> {
  if (keepCheckpoints === 'all') return [];
  const rows = await trx
    .selectFrom('checkpoints')
    .selectAll()
    .where('job_id', '=', id)
    .orderBy('step')
    .execute();
  const kept = findKept(rows, keepCheckpoints);
  return removeUnreferenced(
    trx,
    rows.filter((row) => row !== kept),
  );
}

function findKept(
  ascending: readonly CheckpointRow[],
  kept: Exclude<KeptCheckpoints, 'all'>,
): CheckpointRow | undefined {
  if (kept === 'none') return undefined;
  const last = ascending.at(-1);
  return kept === 'last' ? last : (findBest(ascending) ?? last);
}

/** The first one of those with the lowest loss; undefined if none was measured. */
function findBest(ascending: readonly CheckpointRow[]): CheckpointRow | undefined {
  return ascending
    .filter((row) => row.loss !== null)
    .reduce<CheckpointRow | undefined>(
      (least, row) => (least === undefined || row.loss! < least.loss! ? row : least),
      undefined,
    );
}

/** @returns digests of the removed checkpoints */
export async function removeUnreferenced(
  trx: Transaction<Database>,
  rows: readonly CheckpointRow[],
): Promise<string[]> {
  const removedDigests: string[] = [];
  for (const row of rows) {
    if (await isReferenced(trx, row)) continue;
    await trx
      .deleteFrom('checkpoints')
      .where('job_id', '=', row.job_id)
      .where('step', '=', row.step)
      .execute();
    removedDigests.push(row.digest);
  }
  return removedDigests;
}

/** Whether an unfinished job uses the checkpoint as its warm start. */
async function isReferenced(trx: Transaction<Database>, { job_id, step }: CheckpointRow): Promise<boolean> {
  const referencingJobs = await trx
    .selectFrom('jobs')
    .select('id')
    .where('status', 'in', UNFINISHED_STATUSES)
    .where('warm_start_name', '=', job_id)
    .where('warm_start_version', '=', step)
    .limit(1)
    .execute();
  return referencingJobs.length > 0;
}
