/** Deletes an ended search with its trials and their jobs, in small transactions. */
import type { Transaction } from 'kysely';
import type { Search } from '../domain/search/search.ts';
import { isEnded, UNFINISHED_STATUSES } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import { assertUnused, deleteJob } from './delete-job.ts';
import type { Precondition, Rows } from './rows.ts';
import { lockSearch } from './search-events.ts';
import { toSearch } from './search-rows.ts';
import type { Database, SearchRow } from './tables.ts';

/** Jobs per transaction. */
const BATCH_JOBS = 10;

export interface DeletedJob {
  readonly id: string;
  readonly checkpoints: readonly { readonly step: number; readonly digest: string }[];
}

/**
 * An interruption leaves a search with fewer jobs, which can be deleted again.
 * @throws AtelierError `search-not-found`, `illegal-transition`, `training-job-in-use`
 */
export async function deleteSearch(
  { inTransaction, lockQueue, withReserve }: Rows,
  id: string,
  precondition: Precondition<Search> | undefined,
  onDeleted: (jobs: readonly DeletedJob[]) => Promise<void>,
): Promise<void> {
  let check = precondition;
  let isFirst = true;
  for (let isLeft = true; isLeft; ) {
    const jobs = await withReserve(() =>
      inTransaction(async (trx) => {
        await lockQueue(trx);
        const search = await lockSearch(trx, id);
        check?.(toSearch(search));
        assertEnded(search);
        if (isFirst) await assertAllUnused(trx, id);
        return deleteBatch(trx, id);
      }),
    );
    check = undefined;
    isFirst = false;
    isLeft = jobs.length === BATCH_JOBS;
    await onDeleted(jobs);
  }
}

/** The search goes last, in one transaction with the last jobs. */
async function deleteBatch(trx: Transaction<Database>, id: string): Promise<DeletedJob[]> {
  const batch = await trx
    .selectFrom('jobs')
    .select('id')
    .where('search_id', '=', id)
    .orderBy('id')
    .limit(BATCH_JOBS)
    .execute();
  const deleted: DeletedJob[] = [];
  for (const job of batch) {
    deleted.push({ id: job.id, checkpoints: await deleteJob(trx, job.id, { withSearch: true }) });
  }
  if (batch.length === BATCH_JOBS) return deleted;
  for (const table of ['search_events', 'trials'] as const) {
    await trx.deleteFrom(table).where('search_id', '=', id).execute();
  }
  await trx.deleteFrom('searches').where('id', '=', id).execute();
  return deleted;
}

/** A search whose deletion is refused keeps all its jobs. */
async function assertAllUnused(trx: Transaction<Database>, id: string): Promise<void> {
  const jobs = trx.selectFrom('jobs').select('id').where('search_id', '=', id).orderBy('id');
  const possibleUse = trx
    .selectFrom('jobs')
    .select('id')
    .where('status', 'in', UNFINISHED_STATUSES)
    .where((eb) => eb.or([eb('warm_start_name', 'in', jobs), eb('expectation', 'is not', null)]));
  if ((await possibleUse.limit(1).executeTakeFirst()) === undefined) return;
  for (const job of await jobs.execute()) await assertUnused(trx, job.id);
}

function assertEnded({ id, status }: SearchRow): void {
  if (isEnded(status)) return;
  throw new AtelierError(
    'illegal-transition',
    `Search ${id} is ${status} and cannot be deleted. Cancel it, and delete it when it has ended.`,
  );
}
