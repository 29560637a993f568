/** Repository of searches. */
import type { VersionReference } from '../../domain/models/reference.ts';
import {
  assertChangeable,
  type Search,
  type SearchChange,
  type SearchEvent,
  type SearchStatus,
  UNFINISHED_SEARCHES,
  UNSETTLED_SEARCHES,
} from '../../domain/searches/representation.ts';
import type { ResolvedSearchRequest } from '../../domain/searches/request.ts';
import { AtelierError } from '../../errors.ts';
import type { CheckpointWriter } from '../checkpoints/repository.ts';
import { nextId } from '../database/ids.ts';
import { type NumberedQuery, type StatusQuery, toPage } from '../database/pagination.ts';
import { countRows, type Precondition, type Rows } from '../database/rows.ts';
import { timestamp } from '../database/timestamps.ts';
import { assertDataset } from '../datasets/rows.ts';
import { createOnce, type IdempotencyRecord } from '../idempotency.ts';
import { listEvents } from '../jobs/events.ts';
import { traceOf } from '../jobs/rows.ts';
import { resumeJob } from '../jobs/status.ts';
import type { SearchJobs } from './actions.ts';
import { advanceSearch } from './advance.ts';
import { deleteSearch } from './delete.ts';
import { lockSearch, writeSearchEvent } from './events.ts';
import { FINISHING, newSearchRow, newTrialRows, type SearchPlan, toSearch } from './rows.ts';
import { assertTeachers } from './teachers.ts';
import { readTrials } from './trials.ts';

/** Rows per statement. */
const BATCH_ROWS = 500;

/** Methods with an id throw AtelierError `search-not-found`. */
export function createSearches(rows: Rows, checkpoints: Pick<CheckpointWriter, 'release'>) {
  const { db, inTransaction, lockQueue, inReservedTransaction } = rows;

  return {
    /** Ascending; `after` is exclusive. Empty for a search that does not exist. */
    events: (id: string, query: NumberedQuery) => listEvents<SearchEvent>(db, 'search_events', id, query),

    /**
     * @param options.limit of searches that have not ended
     * @throws AtelierError `queue-full`, `unknown-dataset`, `unknown-model`
     */
    create: (
      request: ResolvedSearchRequest,
      plan: SearchPlan,
      options: {
        readonly limit: number;
        readonly idempotency?: IdempotencyRecord<Search> | undefined;
        /** Trace context of the request, for the jobs of the search. */
        readonly traceparent?: string | undefined;
      },
    ) =>
      inTransaction((trx) =>
        createOnce(trx, options.idempotency, async () => {
          await lockQueue(trx);
          const unfinished = trx.selectFrom('searches').where('status', 'in', UNFINISHED_SEARCHES);
          if ((await countRows(unfinished)) >= options.limit) throw queueFull(options.limit);
          await assertDataset(trx, request);
          await assertTeachers(trx, request);
          const createdAt = timestamp();
          const id = await nextId(trx, 'searches', createdAt);
          const row = newSearchRow(id, createdAt, request, plan, options.traceparent ?? null);
          await trx.insertInto('searches').values(row).execute();
          const trials = newTrialRows(id, plan.settings, request.repeats);
          for (let start = 0; start < trials.length; start += BATCH_ROWS) {
            await trx
              .insertInto('trials')
              .values(trials.slice(start, start + BATCH_ROWS))
              .execute();
          }
          await writeSearchEvent(trx, id, 'status', { to: row.status, ...traceOf(row) });
          return toSearch(row);
        }),
      ),

    /** Undefined if it does not exist. */
    async get(id: string) {
      const row = await db.selectFrom('searches').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toSearch(row);
    },

    /** Newest first. */
    async list({ limit, after, status }: StatusQuery<SearchStatus>) {
      let page = db
        .selectFrom('searches')
        .selectAll()
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (after !== undefined) page = page.where('id', '<', after);
      if (status !== undefined) page = page.where('status', '=', status);
      return toPage(await page.execute(), limit, toSearch);
    },

    /** Empty if the search does not exist. */
    async trials(id: string) {
      const row = await db.selectFrom('searches').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? [] : readTrials(db, row);
    },

    /** Searches with something to decide: the ids of those that run, pause or are being cancelled. */
    async unsettled() {
      const found = await db
        .selectFrom('searches')
        .select('id')
        .where('status', 'in', UNSETTLED_SEARCHES)
        .orderBy('id')
        .execute();
      return found.map(({ id }) => id);
    },

    /**
     * Does part of what is due, in one transaction; call it again while `isMore`. Several processes may call it at once, or
     * again: what one has done is not due any more.
     * @throws the errors of `jobs`
     */
    async advance(id: string, jobs: SearchJobs) {
      const { removed, ...advance } = await inReservedTransaction(async (trx) => {
        await lockQueue(trx);
        return advanceSearch(trx, id, jobs);
      });
      await checkpoints.release(removed);
      return advance;
    },

    /** Requests a change; `advance` carries it out. @throws AtelierError `illegal-transition` */
    request: (id: string, change: SearchChange, precondition?: Precondition<Search>) =>
      inReservedTransaction(async (trx) => {
        await lockQueue(trx);
        const before = await lockSearch(trx, id);
        precondition?.(toSearch(before));
        assertChangeable(id, before.status, change);
        const status = {
          pause: 'pausing',
          resume: 'running',
          cancel: 'cancelling',
          finish: 'running',
        } as const;
        const to = status[change];
        const isFinish = change === 'finish';
        const after = await trx
          .updateTable('searches')
          .set({
            status: to,
            ...(isFinish && before.finishing === 0 && { finishing: FINISHING.requested }),
            ...(change === 'resume' && { pause_reason: null }),
          })
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirstOrThrow();
        if (change === 'resume') {
          const paused = trx.selectFrom('jobs').select('id').where('search_id', '=', id);
          const byService = paused.where('status', '=', 'paused').where('pause_reason', 'is not', null);
          for (const job of await byService.execute()) await resumeJob(trx, job.id);
        }
        const event = {
          from: before.status,
          to,
          ...(isFinish && { finishing: true, reason: 'requested' }),
        };
        await writeSearchEvent(trx, id, 'status', event);
        return toSearch(after);
      }),

    /** Cancels the jobs of a search that cannot go on, and fails it. */
    fail: (id: string, { code, message }: { readonly code: string; readonly message: string }) =>
      inReservedTransaction(async (trx) => {
        const before = await lockSearch(trx, id);
        if (!UNSETTLED_SEARCHES.some((status) => status === before.status)) return;
        await trx
          .updateTable('searches')
          .set({ status: 'cancelling', error_code: code, error_message: message })
          .where('id', '=', id)
          .execute();
        await writeSearchEvent(trx, id, 'error', { code, message });
        await writeSearchEvent(trx, id, 'status', { from: before.status, to: 'cancelling' });
      }),

    /**
     * Deletes an ended search with its jobs, some at a time. The version that it published stays.
     * @param onDeleted called with each part of the checkpoints, also if a later part cannot be deleted
     * @throws AtelierError `search-not-found`, `illegal-transition`, `training-job-in-use`
     */
    remove: (
      id: string,
      precondition?: Precondition<Search>,
      onDeleted?: (checkpoints: readonly VersionReference[]) => Promise<void>,
    ) =>
      deleteSearch(rows, id, precondition, async (jobs) => {
        const deleted = jobs.flatMap((job) => job.checkpoints.map((each) => ({ ...each, name: job.id })));
        await checkpoints.release(deleted.map(({ digest }) => digest));
        if (deleted.length > 0) await onDeleted?.(deleted.map(({ name, step }) => ({ name, version: step })));
      }),

    /** Ids of searches whose deletion has begun and not ended. */
    async beingDeleted() {
      const found = db.selectFrom('searches').select('id').where('deleting', '=', 1).orderBy('id');
      return (await found.execute()).map(({ id }) => id);
    },
  };
}

function queueFull(limit: number): AtelierError {
  return new AtelierError(
    'queue-full',
    `${limit} searches have not ended, the limit. Try again when one has ended, or cancel one.`,
  );
}
