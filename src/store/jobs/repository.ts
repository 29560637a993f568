/** Repository of training jobs. */
import type { Kysely, Transaction } from 'kysely';
import type { Progress } from '../../domain/jobs/epoch-record.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import type { JobStatus } from '../../domain/jobs/status.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import { AtelierError } from '../../errors.ts';
import type { CheckpointWriter } from '../checkpoints/repository.ts';
import { toPage } from '../database/pagination.ts';
import { countRows, type Precondition, type Rows } from '../database/rows.ts';
import type { Database } from '../database/tables.ts';
import { createOnce, type IdempotencyRecord } from '../idempotency.ts';
import { type Contest, readContest, recordPreemption } from '../runs/preemptions.ts';
import { countAhead, type QueuePosition, selectAhead, selectQueued } from '../runs/queue-order.ts';
import { recoverInterrupted, recoverRun, selectActiveRuns } from '../runs/recover.ts';
import { type StartOptions, startJob } from '../runs/start.ts';
import { createRun } from '../runs/writes.ts';
import { toReadableJob } from './damaged.ts';
import { deleteJob } from './delete.ts';
import type { RunKey } from './events.ts';
import { insertJob, type NewJob } from './insert.ts';
import { readOrigin } from './origin.ts';
import { type JobQuery, selectJobIds } from './pages.ts';
import { toJob } from './rows.ts';
import { changePriority, holdForMemory, requestCancel, requestPause, resumeJob } from './status.ts';

export interface JobRevision {
  readonly id: string;
  /** Differs after every change of the job. */
  readonly revision: string;
}

/**
 * Every change of status is validated by the domain's `transition` and writes its `status` event in the same transaction.
 * Methods that change a job throw AtelierError `training-job-not-found`, or `illegal-transition` if its status does not
 * allow the change. `get` throws `state-unusable` for a damaged row. Calls that are not awaited may run in any order.
 */
export type Jobs = ReturnType<typeof createJobs>;

interface CreateOptions extends Pick<NewJob, 'target' | 'notify' | 'traceparent'> {
  readonly queueLimit?: number | undefined;
  /** The response is stored in the same transaction. */
  readonly idempotency?: IdempotencyRecord<TrainingJob> | undefined;
}

/** Queued and paused jobs together are limited to this multiple of the queue limit. */
export const HELD_JOBS_FACTOR = 10;

export function createJobs(rows: Rows, checkpoints: CheckpointWriter) {
  const { db, inTransaction, inReservedTransaction, lockQueue } = rows;

  const selectPage = (query: JobQuery) =>
    db
      .selectFrom('jobs')
      .where('id', 'in', selectJobIds(rows, query))
      .orderBy('id', query.sort === 'createdAt' ? 'asc' : 'desc');

  return {
    /**
     * @throws AtelierError `queue-full` if `queueLimit` jobs are already queued, or ten times as many queued and paused;
     *   `unknown-dataset` or `unknown-model` if the data set or the version of the warm start has been deleted;
     *   `training-job-not-found` if the job to verify has
     */
    create: (
      request: ResolvedTrainingRequest,
      progress: Progress,
      { queueLimit = Number.POSITIVE_INFINITY, idempotency, ...options }: CreateOptions = {},
    ) =>
      inTransaction((trx) =>
        createOnce(trx, idempotency, async () => {
          await lockQueue(trx);
          await assertQueueHasRoom(trx, queueLimit);
          return insertJob(trx, { request, progress, ...options });
        }),
      ),

    async get(id: string) {
      const row = await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toJob(row);
    },

    /** A page without jobs whose row is damaged. */
    async list({ limit, after, ...query }: JobQuery) {
      const jobs: TrainingJob[] = [];
      // More rows are selected only in the place of damaged ones.
      for (let cursor = after; ; ) {
        const missing = limit + 1 - jobs.length;
        const page = selectPage({ ...query, limit: missing, after: cursor });
        const rows = await page.selectAll().execute();
        jobs.push(...rows.flatMap((row) => toReadableJob(row) ?? []));
        if (rows.length < missing || jobs.length > limit) break;
        cursor = rows.at(-1)!.id;
      }
      return toPage(jobs, limit, (job) => job);
    },

    /** The same page without reading the jobs, so it includes jobs whose row is damaged. */
    async revisions({ limit, ...query }: JobQuery) {
      const page = selectPage({ ...query, limit: limit + 1 });
      const rows = await page
        // The report of the gradient check and the delivery of the webhook are the only changes without an event.
        .select((eb) => ['id', 'event_count', 'notify', eb('gradient_check', 'is', null).as('is_unchecked')])
        .execute();
      return toPage(rows, limit, ({ id, event_count, notify, is_unchecked }) => ({
        id,
        revision: `${event_count}-${is_unchecked}${notify === null ? '' : `-${notify}`}`,
      }));
    },

    /** Jobs by id, in any order, without those whose row is damaged. */
    async getMany(ids: readonly string[]) {
      if (ids.length === 0) return [];
      const rows = await db.selectFrom('jobs').selectAll().where('id', 'in', ids).execute();
      return rows.flatMap((row) => toReadableJob(row) ?? []);
    },

    /**
     * The queued job with the highest priority, or the next one after another; of several, the oldest by creation, so a
     * requeued job comes before later ones. Its row may be damaged.
     */
    nextQueued: (after?: QueuePosition) =>
      selectQueued(db, after).select('origin').limit(1).executeTakeFirst(),

    count: (status: JobStatus) => countRows(selectByStatus(db, status)),
    /** Number of queued jobs that would start before a new one of this priority. */
    countAhead: (priority: number) => countAhead(db, priority),
    /** The first of these jobs in their order, without those whose row is damaged. */
    async listAhead(priority: number, limit: number) {
      const rows = await selectAhead(db, priority).selectAll().limit(limit).execute();
      return rows.flatMap((row) => toReadableJob(row) ?? []);
    },
    /** Whether no job exists, and no model ever has: deleting old jobs does not make a used store empty. */
    async isEmpty() {
      const job = db.selectFrom('jobs').select('id').limit(1);
      const model = db.selectFrom('models').select('name as id').limit(1);
      return (await job.executeTakeFirst()) === undefined && (await model.executeTakeFirst()) === undefined;
    },

    /**
     * Starts a run of a queued job; its runner writes through it. `startedAt` is the time of the first start, `environment`
     * belongs to the last one. If it differs from the first checkpoint's, a `warning` event is written.
     * @returns null if the row of the job is damaged; the job then fails with `state-unusable`
     */
    async start(id: string, options: StartOptions = {}) {
      const started = await inTransaction((trx) => startJob(trx, id, options));
      return started && createRun(started, inTransaction, checkpoints);
    },
    /** Runs that have not ended. */
    active: () => selectActiveRuns(db),
    /** Kernel and rounding of the first checkpoint; null without checkpoints. */
    origin: (id: string) => readOrigin(db, id),
    /** A queued or paused job is cancelled immediately; an active one stays cancelling until `release`. */
    requestCancel: (id: string, precondition?: Precondition<TrainingJob>) =>
      inReservedTransaction((trx) => requestCancel(trx, id, precondition)),
    /** A queued job is paused immediately; a running one stays pausing until `release`. */
    requestPause: (id: string, precondition?: Precondition<TrainingJob>) =>
      inReservedTransaction((trx) => requestPause(trx, id, precondition)),
    /** Number of unclean ends of the process during the job, since its last checkpoint or epoch. */
    async uncleanEnds(id: string) {
      const ends = db.selectFrom('jobs').select('unclean_ends').where('id', '=', id);
      return (await ends.executeTakeFirst())?.unclean_ends ?? 0;
    },
    /** Sets `waiting` of a queued job, with a `warning` event that holds the message. Does nothing if it is already waiting. */
    holdForMemory: (id: string, message: string) => inTransaction((trx) => holdForMemory(trx, id, message)),
    /** Writes a `priority` event. */
    changePriority: (id: string, priority: number, precondition?: Precondition<TrainingJob>) =>
      inTransaction((trx) => changePriority(trx, id, priority, precondition)),
    /** A queued job and the active ones that may make room for it; null if the job is not queued. */
    contest: (id: string) => readContest(db, id),
    /**
     * Records the run that is stopped for the queued job.
     * @returns false if the job is no longer queued, or if another run has been recorded since the contest was read
     */
    recordPreemption: (contest: Contest, victim: RunKey) => recordPreemption(db, contest, victim),
    /**
     * Queues a paused job again.
     * @throws AtelierError `queue-full`, as `create`
     */
    resume: (id: string, precondition?: Precondition<TrainingJob>, queueLimit = Number.POSITIVE_INFINITY) =>
      inTransaction(async (trx) => {
        await lockQueue(trx);
        // Resumes first, so that a job that is not paused gets `illegal-transition`. The count includes the job itself.
        const job = await resumeJob(trx, id, precondition);
        if ((await countFree(trx, 'queued')) > queueLimit) throw queueFull(queueLimit);
        return job;
      }),
    /**
     * Deletes an ended job with its events, epoch records and checkpoints. Its versions keep its id and its request.
     * @param precondition called with the job
     * @returns the steps of the deleted checkpoints
     * @throws AtelierError `training-job-in-use` while an unfinished job starts from one of them or verifies the job
     */
    async remove(id: string, precondition?: Precondition<TrainingJob>) {
      const removed = await inReservedTransaction(async (trx) => {
        await lockQueue(trx);
        return deleteJob(trx, id, precondition);
      });
      await checkpoints.release(removed.map(({ digest }) => digest));
      return removed.map(({ step }) => step);
    },
    /**
     * Call when the runner of an active job is dead: pauses a pausing job, cancels a cancelling one, and queues a running
     * one again. Counts the unclean end; after five of them the job is paused with a reason. A damaged job fails.
     * @returns the status of the job, or null if the run is not the current one or has ended
     */
    recoverOne: (id: string, run: number) =>
      inReservedTransaction(async (trx) => (await recoverRun(trx, { id, run }))?.status ?? null),
    /** Call when the service starts, if no other one uses the database: recovers all active jobs. */
    recoverInterrupted: () => inReservedTransaction(recoverInterrupted),
  };
}

const selectByStatus = (db: Kysely<Database>, status: JobStatus) =>
  db.selectFrom('jobs').where('status', '=', status);

/** Jobs of searches do not count: a search queues only a few of them at once. */
const countFree = (db: Kysely<Database>, status: JobStatus) =>
  countRows(selectByStatus(db, status).where('search_id', 'is', null));

/** @throws AtelierError `queue-full` */
async function assertQueueHasRoom(trx: Transaction<Database>, queueLimit: number): Promise<void> {
  const queued = await countFree(trx, 'queued');
  if (queued >= queueLimit) throw queueFull(queueLimit);
  const heldLimit = HELD_JOBS_FACTOR * queueLimit;
  if (queued + (await countFree(trx, 'paused')) < heldLimit) return;
  throw new AtelierError(
    'queue-full',
    `${heldLimit} training jobs are queued or paused, the limit. Resume or cancel paused ones.`,
  );
}

function queueFull(limit: number): AtelierError {
  return new AtelierError(
    'queue-full',
    `The queue is full: ${limit} training jobs are queued. Try again when one has started, or cancel one.`,
  );
}
