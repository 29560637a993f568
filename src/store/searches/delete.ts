/** Deletes an ended search with its trials and their jobs, in small transactions. */
import type { Transaction } from 'kysely';
import { isEnded } from '../../domain/jobs/status.ts';
import type { Search } from '../../domain/searches/representation.ts';
import { AtelierError, hasCode } from '../../errors.ts';
import type { Precondition, Rows } from '../database/rows.ts';
import type { Database, SearchRow } from '../database/tables.ts';
import { assertUnused, type DeletedJob, deleteJobsOfSearch } from '../jobs/delete.ts';
import { lockSearch } from './events.ts';
import { toSearch } from './rows.ts';

/** Per transaction. SQLite runs it in the main thread without a pause. */
const BATCH_JOBS = 10;
const BATCH_EVENTS = 1000;

/**
 * An interruption leaves a search with fewer jobs. It is marked, and can be deleted again.
 * @param onDeleted called after each transaction that deleted jobs
 * @throws AtelierError `search-not-found`, `illegal-transition`, `training-job-in-use`
 */
export async function deleteSearch(
  { lockQueue, inReservedTransaction }: Rows,
  id: string,
  precondition: Precondition<Search> | undefined,
  onDeleted: (jobs: readonly DeletedJob[]) => Promise<void>,
): Promise<void> {
  let isFirst = true;
  const deleteNext = () =>
    inReservedTransaction(async (trx) => {
      await lockQueue(trx);
      const search = await lockSearch(trx, id);
      if (isFirst) precondition?.(toSearch(search));
      assertEnded(search);
      // A search whose deletion is refused keeps all its jobs.
      if (isFirst) {
        await assertUnused(trx, await listJobs(trx, id));
        await trx.updateTable('searches').set({ deleting: 1 }).where('id', '=', id).execute();
      }
      return deleteBatch(trx, id);
    });
  for (let isLeft = true; isLeft; isFirst = false) {
    const batch = await deleteNext().catch((error) => {
      // Another client has deleted the rest.
      if (isFirst || !hasCode(error, 'search-not-found')) throw error;
      return { jobs: [], isLeft: false };
    });
    if (batch.jobs.length > 0) await onDeleted(batch.jobs);
    ({ isLeft } = batch);
  }
}

/** Jobs, then events; the search goes last, with its trials. */
async function deleteBatch(
  trx: Transaction<Database>,
  id: string,
): Promise<{ readonly jobs: DeletedJob[]; readonly isLeft: boolean }> {
  const ids = await listJobs(trx, id, BATCH_JOBS);
  if (ids.length > 0) {
    return { jobs: await deleteJobsOfSearch(trx, ids), isLeft: true };
  }
  const events = trx.selectFrom('search_events').where('search_id', '=', id);
  const oldest = await events.select('id').orderBy('id').limit(1).executeTakeFirst();
  if (oldest !== undefined) {
    const batch = trx.deleteFrom('search_events').where('search_id', '=', id);
    await batch.where('id', '<', oldest.id + BATCH_EVENTS).execute();
    return { jobs: [], isLeft: true };
  }
  await trx.deleteFrom('trials').where('search_id', '=', id).execute();
  await trx.deleteFrom('searches').where('id', '=', id).execute();
  return { jobs: [], isLeft: false };
}

async function listJobs(trx: Transaction<Database>, searchId: string, limit?: number): Promise<string[]> {
  const all = trx.selectFrom('jobs').select('id').where('search_id', '=', searchId).orderBy('id');
  const jobs = limit === undefined ? all : all.limit(limit);
  return (await jobs.execute()).map(({ id }) => id);
}

function assertEnded({ id, status }: SearchRow): void {
  if (isEnded(status)) return;
  throw new AtelierError(
    'illegal-transition',
    `Search ${id} is ${status} and cannot be deleted. Cancel it, and delete it when it has ended.`,
  );
}
