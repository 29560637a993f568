/** Repository of training jobs. */
import type { Kysely, Transaction } from 'kysely';
import type { Progress } from '../../domain/jobs/epoch-record.ts';
import type { Notify } from '../../domain/jobs/notify.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import type { JobStatus } from '../../domain/jobs/status.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { Arithmetic, ReproductionTarget } from '../../domain/training/reproducibility.ts';
import { AtelierError } from '../../errors.ts';
import type { CheckpointWriter } from '../checkpoints/repository.ts';
import { type Page, toPage } from '../database/pagination.ts';
import type { Precondition, Rows } from '../database/rows.ts';
import type { Database } from '../database/tables.ts';
import { createOnce, type IdempotencyRecord } from '../idempotency.ts';
import { type Contest, readContest, recordPreemption } from '../runs/preemptions.ts';
import {
  countAhead,
  type QueuedJob,
  type QueuePosition,
  selectAhead,
  selectQueued,
} from '../runs/queue-order.ts';
import { type ActiveRun, recoverInterrupted, recoverRun, selectActiveRuns } from '../runs/recover.ts';
import { type StartOptions, startJob } from '../runs/start.ts';
import { createRun, type Run } from '../runs/writes.ts';
import { toReadableJob } from './damaged.ts';
import { deleteJob } from './delete.ts';
import type { RunKey } from './events.ts';
import { insertJob } from './insert.ts';
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
export interface Jobs {
  /**
   * @param options with `idempotency`, the response is stored in the same transaction; with a `target`, the job is a
   *   verification and publishes nothing; with `notify`, a webhook reports its end
   * @throws AtelierError `queue-full` if `queueLimit` jobs are already queued, or ten times as many queued and paused;
   *   `unknown-dataset` or `unknown-model` if the data set or the version of the warm start has been deleted;
   *   `training-job-not-found` if the job to verify has
   */
  create(
    request: ResolvedTrainingRequest,
    progress: Progress,
    options?: {
      readonly queueLimit?: number | undefined;
      readonly idempotency?: IdempotencyRecord<TrainingJob> | undefined;
      readonly target?: ReproductionTarget | undefined;
      readonly notify?: Notify | undefined;
    },
  ): Promise<TrainingJob>;
  get(id: string): Promise<TrainingJob | undefined>;
  /** A page without jobs whose row is damaged. */
  list(query: JobQuery): Promise<Page<TrainingJob>>;
  /** The same page without reading the jobs, so it includes jobs whose row is damaged. */
  revisions(query: JobQuery): Promise<Page<JobRevision>>;
  /** Jobs by id, in any order, without those whose row is damaged. */
  getMany(ids: readonly string[]): Promise<TrainingJob[]>;
  /**
   * The queued job with the highest priority, or the next one after another; of several, the oldest by creation, so a
   * requeued job comes before later ones. Its row may be damaged.
   */
  nextQueued(after?: QueuePosition): Promise<QueuedJob | undefined>;
  count(status: JobStatus): Promise<number>;
  /** Number of queued jobs that would start before a new one of this priority. */
  countAhead(priority: number): Promise<number>;
  /** The first of these jobs in their order, without those whose row is damaged. */
  listAhead(priority: number, limit: number): Promise<TrainingJob[]>;
  /** Whether no job exists, and no model ever has: deleting old jobs does not make a used store empty. */
  isEmpty(): Promise<boolean>;
  /**
   * Starts a run of a queued job; its runner writes through it. `startedAt` is the time of the first start, `environment`
   * belongs to the last one. If it differs from the first checkpoint's, a `warning` event is written.
   * @returns null if the row of the job is damaged; the job then fails with `state-unusable`
   */
  start(id: string, options?: StartOptions): Promise<Run | null>;
  /** Runs that have not ended. */
  active(): Promise<ActiveRun[]>;
  /** Kernel and rounding of the first checkpoint; null without checkpoints. */
  origin(id: string): Promise<Arithmetic | null>;
  /** Number of unclean ends of the process during the job, since its last checkpoint or epoch. */
  uncleanEnds(id: string): Promise<number>;
  /** Sets `waiting` of a queued job, with a `warning` event that holds the message. Does nothing if it is already waiting. */
  holdForMemory(id: string, message: string): Promise<void>;
  /** Writes a `priority` event. */
  changePriority(
    id: string,
    priority: number,
    precondition?: Precondition<TrainingJob>,
  ): Promise<TrainingJob>;
  /** A queued job and the active ones that may make room for it; null if the job is not queued. */
  contest(id: string): Promise<Contest | null>;
  /**
   * Records the run that is stopped for the queued job.
   * @returns false if the job is no longer queued, or if another run has been recorded since the contest was read
   */
  recordPreemption(contest: Contest, victim: RunKey): Promise<boolean>;
  /** A queued or paused job is cancelled immediately; an active one stays cancelling until `release`. */
  requestCancel(id: string, precondition?: Precondition<TrainingJob>): Promise<TrainingJob>;
  /** A queued job is paused immediately; a running one stays pausing until `release`. */
  requestPause(id: string, precondition?: Precondition<TrainingJob>): Promise<TrainingJob>;
  /**
   * Queues a paused job again.
   * @throws AtelierError `queue-full`, as `create`
   */
  resume(
    id: string,
    options?: {
      readonly queueLimit?: number | undefined;
      readonly precondition?: Precondition<TrainingJob> | undefined;
    },
  ): Promise<TrainingJob>;
  /**
   * Deletes an ended job with its events, epoch records and checkpoints. Its versions keep its id and its request.
   * @param precondition called with the job
   * @returns the steps of the deleted checkpoints
   * @throws AtelierError `training-job-in-use` while an unfinished job starts from one of them or verifies the job
   */
  remove(id: string, precondition?: Precondition<TrainingJob>): Promise<number[]>;
  /**
   * Call when the runner of an active job is dead: pauses a pausing job, cancels a cancelling one, and queues a running
   * one again. Counts the unclean end; after five of them the job is paused with a reason. A damaged job fails.
   * @returns the status of the job, or null if the run is not the current one or has ended
   */
  recoverOne(id: string, run: number): Promise<JobStatus | null>;
  /** Call when the service starts, if no other one uses the database: recovers all active jobs. */
  recoverInterrupted(): Promise<TrainingJob[]>;
}

/** Queued and paused jobs together are limited to this multiple of the queue limit. */
export const HELD_JOBS_FACTOR = 10;

export function createJobs(rows: Rows, checkpoints: CheckpointWriter): Jobs {
  const { db, inTransaction, withReserve, lockQueue } = rows;

  const selectPage = (query: JobQuery) =>
    db
      .selectFrom('jobs')
      .where('id', 'in', selectJobIds(rows, query))
      .orderBy('id', query.sort === 'createdAt' ? 'asc' : 'desc');

  return {
    create: (
      request,
      progress,
      { queueLimit = Number.POSITIVE_INFINITY, idempotency, target, notify } = {},
    ) =>
      inTransaction((trx) =>
        createOnce(trx, idempotency, async () => {
          await lockQueue(trx);
          await assertQueueHasRoom(trx, queueLimit);
          return insertJob(trx, { request, progress, target, notify });
        }),
      ),

    async get(id) {
      const row = await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toJob(row);
    },

    async list({ limit, after, ...query }) {
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

    async revisions({ limit, ...query }) {
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

    async getMany(ids) {
      if (ids.length === 0) return [];
      const rows = await db.selectFrom('jobs').selectAll().where('id', 'in', ids).execute();
      return rows.flatMap((row) => toReadableJob(row) ?? []);
    },

    nextQueued: (after) => selectQueued(db, after).select('origin').limit(1).executeTakeFirst(),

    count: (status) => count(db, status),
    countAhead: (priority) => countAhead(db, priority),
    async listAhead(priority, limit) {
      const rows = await selectAhead(db, priority).selectAll().limit(limit).execute();
      return rows.flatMap((row) => toReadableJob(row) ?? []);
    },
    async isEmpty() {
      const job = db.selectFrom('jobs').select('id').limit(1);
      const model = db.selectFrom('models').select('name as id').limit(1);
      return (await job.executeTakeFirst()) === undefined && (await model.executeTakeFirst()) === undefined;
    },

    async start(id, options = {}) {
      const started = await inTransaction((trx) => startJob(trx, id, options));
      return started && createRun(started, inTransaction, checkpoints);
    },
    active: () => selectActiveRuns(db),
    origin: (id) => readOrigin(db, id),
    requestCancel: (id, precondition) =>
      withReserve(() => inTransaction((trx) => requestCancel(trx, id, precondition))),
    requestPause: (id, precondition) =>
      withReserve(() => inTransaction((trx) => requestPause(trx, id, precondition))),
    async uncleanEnds(id) {
      const ends = db.selectFrom('jobs').select('unclean_ends').where('id', '=', id);
      return (await ends.executeTakeFirst())?.unclean_ends ?? 0;
    },
    holdForMemory: (id, message) => inTransaction((trx) => holdForMemory(trx, id, message)),
    changePriority: (id, priority, precondition) =>
      inTransaction((trx) => changePriority(trx, id, priority, precondition)),
    contest: (id) => readContest(db, id),
    recordPreemption: (contest, victim) => recordPreemption(db, contest, victim),
    resume: (id, { queueLimit = Number.POSITIVE_INFINITY, precondition } = {}) =>
      inTransaction(async (trx) => {
        await lockQueue(trx);
        // Resumes first, so that a job that is not paused gets `illegal-transition`. The count includes the job itself.
        const job = await resumeJob(trx, id, precondition);
        if ((await countFree(trx, 'queued')) > queueLimit) throw queueFull(queueLimit);
        return job;
      }),
    async remove(id, precondition) {
      const removed = await withReserve(() =>
        inTransaction(async (trx) => {
          await lockQueue(trx);
          return deleteJob(trx, id, precondition);
        }),
      );
      await checkpoints.release(removed.map(({ digest }) => digest));
      return removed.map(({ step }) => step);
    },
    recoverOne: (id, run) =>
      withReserve(() => inTransaction(async (trx) => (await recoverRun(trx, { id, run }))?.status ?? null)),
    recoverInterrupted: () => withReserve(() => inTransaction(recoverInterrupted)),
  };
}

async function count(db: Kysely<Database>, status: JobStatus): Promise<number> {
  const { jobs } = await jobsWith(db, status).executeTakeFirstOrThrow();
  return Number(jobs);
}

/** Jobs of searches do not count: a search queues only a few of them at once. */
async function countFree(db: Kysely<Database>, status: JobStatus): Promise<number> {
  const { jobs } = await jobsWith(db, status).where('search_id', 'is', null).executeTakeFirstOrThrow();
  return Number(jobs);
}

function jobsWith(db: Kysely<Database>, status: JobStatus) {
  return db
    .selectFrom('jobs')
    .select(({ fn }) => fn.countAll().as('jobs'))
    .where('status', '=', status);
}

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
