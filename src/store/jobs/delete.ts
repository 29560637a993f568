/** Deletes an ended job with its events, epoch records and checkpoints, unless an unfinished job uses it. */
import type { Kysely, Transaction } from 'kysely';
import { isEnded, type JobStatus, UNFINISHED_STATUSES } from '../../domain/jobs/status.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { ReproductionTarget } from '../../domain/training/reproducibility.ts';
import { AtelierError } from '../../errors.ts';
import { collectDeletion } from '../database/committed-events.ts';
import { decodeReadable } from '../database/json-column.ts';
import type { Precondition } from '../database/rows.ts';
import type { CheckpointRow, Database, JobRow } from '../database/tables.ts';
import { toJob } from './rows.ts';

/** Number of jobs in an error message. */
const MAX_LISTED = 5;

export interface DeletedJob {
  readonly id: string;
  readonly checkpoints: readonly Pick<CheckpointRow, 'step' | 'digest'>[];
}

/**
 * The caller must have locked the queue, so that no job that uses this one can be created. Versions that the job
 * published keep its id and its request. The row may be damaged.
 * @param precondition called with the job
 * @returns its checkpoints; the caller releases their blobs after the commit
 * @throws AtelierError `training-job-not-found`; `illegal-transition` if it has not ended; `training-job-in-use` if an
 *   unfinished job starts from one of its checkpoints or verifies it, or if it belongs to a search
 */
export async function deleteJob(
  trx: Transaction<Database>,
  id: string,
  precondition?: Precondition<TrainingJob>,
): Promise<DeletedJob['checkpoints']> {
  const job = await lockJob(trx, id);
  precondition?.(toJob(job));
  assertEnded(job);
  if (job.search_id !== null) throw inSearch(id, job.search_id);
  await assertUnused(trx, [id]);
  const [deleted] = await deleteRows(trx, [id]);
  return deleted!.checkpoints;
}

/**
 * Deletes jobs of a search that is deleted with them.
 * @throws AtelierError `illegal-transition`, `training-job-in-use`
 */
export async function deleteJobsOfSearch(
  trx: Transaction<Database>,
  ids: readonly string[],
): Promise<DeletedJob[]> {
  const locked = trx.selectFrom('jobs').select(['id', 'status']).where('id', 'in', ids).forNoKeyUpdate();
  for (const job of await locked.execute()) assertEnded(job);
  await assertUnused(trx, ids);
  return deleteRows(trx, ids);
}

async function deleteRows(trx: Transaction<Database>, ids: readonly string[]): Promise<DeletedJob[]> {
  const checkpoints = await trx
    .deleteFrom('checkpoints')
    .where('job_id', 'in', ids)
    .returning(['job_id', 'step', 'digest'])
    .execute();
  for (const table of ['events', 'metrics', 'job_labels', 'webhooks'] as const) {
    await trx.deleteFrom(table).where('job_id', 'in', ids).execute();
  }
  await trx.deleteFrom('jobs').where('id', 'in', ids).execute();
  for (const id of ids) collectDeletion(trx, id);
  const byJob = Map.groupBy(checkpoints, (checkpoint) => checkpoint.job_id);
  return ids.map((id) => ({ id, checkpoints: byJob.get(id) ?? [] }));
}

/** Locks the row: a run that ends the job has committed then. */
async function lockJob(trx: Transaction<Database>, id: string): Promise<JobRow> {
  const row = trx.selectFrom('jobs').selectAll().where('id', '=', id).forNoKeyUpdate();
  const job = await row.executeTakeFirst();
  if (job !== undefined) return job;
  throw new AtelierError('training-job-not-found', `Training job ${id} does not exist.`);
}

function assertEnded({ id, status }: Pick<JobRow, 'id' | 'status'>): void {
  if (isEnded(status)) return;
  throw new AtelierError(
    'illegal-transition',
    `Training job ${id} is ${status} and cannot be deleted. Cancel it, and delete it when it has ended.`,
  );
}

function inSearch(id: string, searchId: string): AtelierError {
  return new AtelierError(
    'training-job-in-use',
    `Training job ${id} belongs to search ${searchId} and is deleted with it: DELETE /v1/searches/${searchId}.`,
  );
}

/** @throws AtelierError `training-job-in-use` if an unfinished job starts from a checkpoint of one of the jobs, or verifies it */
export async function assertUnused(trx: Transaction<Database>, ids: readonly string[]): Promise<void> {
  const listed = new Set(ids);
  const [[id, uses] = []] = [...(await readUses(trx))].filter(([used]) => listed.has(used));
  if (id === undefined || uses === undefined) return;
  const more = uses.length > MAX_LISTED ? `; ${uses.length - MAX_LISTED} more jobs use it` : '';
  throw new AtelierError(
    'training-job-in-use',
    `Training job ${id} cannot be deleted: ${uses.slice(0, MAX_LISTED).join('; ')}${more}. ` +
      'Wait for these jobs, or cancel them.',
  );
}

/** The unfinished jobs that prevent the deletion of a job, each with its reason as a clause. */
export async function listUses(db: Kysely<Database>, id: string): Promise<readonly string[]> {
  return (await readUses(db)).get(id) ?? [];
}

async function readUses(db: Kysely<Database>): Promise<ReadonlyMap<string, readonly string[]>> {
  const unfinished = await db
    .selectFrom('jobs')
    .select(['id', 'status', 'warm_start_name', 'warm_start_version', 'expectation'])
    .where('status', 'in', UNFINISHED_STATUSES)
    .where((eb) => eb.or([eb('warm_start_name', 'is not', null), eb('expectation', 'is not', null)]))
    .orderBy('id')
    .execute();
  const uses = new Map<string, string[]>();
  for (const job of unfinished) {
    const { warm_start_name: start, warm_start_version: version } = job;
    const target = decodeReadable<ReproductionTarget>(job.expectation)?.of ?? null;
    const add = (used: string, use: string) => uses.set(used, [...(uses.get(used) ?? []), use]);
    if (start !== null) add(start, `${named(job)} starts from its checkpoint ${version}`);
    if (target !== null && target !== start) add(target, `${named(job)} verifies it`);
  }
  return uses;
}

const named = ({ id, status }: { id: string; status: JobStatus }) => `the ${status} training job ${id}`;

/**
 * Checks that the job to verify still exists. It is not deleted while the verification is unfinished.
 * @throws AtelierError `training-job-not-found`
 */
export async function assertTarget(
  trx: Transaction<Database>,
  target: ReproductionTarget | undefined,
): Promise<void> {
  if (target === undefined) return;
  const found = trx.selectFrom('jobs').select('id').where('id', '=', target.of);
  if ((await found.executeTakeFirst()) !== undefined) return;
  throw new AtelierError('training-job-not-found', `Training job ${target.of} has just been deleted.`);
}
