/** Training jobs: created, found, and handed to what changes them. */
import type { Kysely, Transaction } from 'kysely';
import { monotonicFactory } from 'ulid';
import type { EpochRecord, Progress } from '../domain/metrics.ts';
import type {
  GradientCheckSummary,
  JobStatus,
  TrainingJob,
  TrainingRequest,
} from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import { writeEvent } from './events.ts';
import { type Keep, keepAnswer } from './idempotency.ts';
import { recordEpoch, recordGradientCheck, recordProgress } from './job-progress.ts';
import { newJobRow, toJob } from './job-rows.ts';
import {
  finishJob,
  type JobOutcome,
  requestCancel,
  requeueInterrupted,
  requeueJob,
  startJob,
} from './job-status.ts';
import { type Page, toPage } from './page.ts';
import type { Database } from './tables.ts';

/**
 * Every change of status goes through the domain's `transition` and writes its `status` event in the same transaction.
 * Methods that change a job throw AtelierError `training-job-not-found`, and `illegal-transition` where its status does
 * not allow it. Calls that are not awaited may overtake each other.
 */
export interface Jobs {
  /**
   * @param options `keep` keeps the answer that tells of the job, in the same transaction
   * @throws AtelierError `queue-full` when `queueLimit` jobs are queued already; counted in the transaction
   */
  create(
    request: TrainingRequest,
    progress: Progress,
    options?: {
      readonly queueLimit?: number | undefined;
      readonly keep?: Keep<TrainingJob> | undefined;
    },
  ): Promise<TrainingJob>;
  get(id: string): Promise<TrainingJob | undefined>;
  /** Newest first; `after` is exclusive and need not exist. */
  list(query: {
    readonly limit: number;
    readonly after?: string | undefined;
    readonly status?: JobStatus | undefined;
  }): Promise<Page<TrainingJob>>;
  /** The oldest queued job: one that was put back comes before all that were created after it. */
  nextQueued(): Promise<TrainingJob | undefined>;
  count(status: JobStatus): Promise<number>;
  /** Whether no job was ever created. */
  isEmpty(): Promise<boolean>;
  /** Begins a further attempt; `startedAt` is that of the last one, and what an interrupted one measured is cleared. */
  start(id: string): Promise<TrainingJob>;
  /** A queued job is cancelled at once; a running one is cancelling until `finish`. */
  requestCancel(id: string): Promise<TrainingJob>;
  /** Puts a running job back because the service stops. */
  requeue(id: string): Promise<TrainingJob>;
  /** At start: what a killed process left running is queued again, what it was cancelling is cancelled. */
  requeueInterrupted(): Promise<TrainingJob[]>;
  /** Success publishes the next version of the job's model; its parameters are in `blobs` already. */
  finish(id: string, outcome: JobOutcome): Promise<TrainingJob>;
  /** With its `progress` event; the job is running or cancelling. */
  recordProgress(id: string, progress: Progress): Promise<void>;
  /** Metrics, latest, best, progress and the `epoch` event in one transaction; the job is running or cancelling. */
  recordEpoch(id: string, record: EpochRecord, progress: Progress): Promise<void>;
  /** Of the check before the start; the job is running or cancelling. */
  recordGradientCheck(id: string, report: GradientCheckSummary): Promise<void>;
}

export function createJobs(db: Kysely<Database>): Jobs {
  const ulid = monotonicFactory();
  const inTransaction = <T>(work: (trx: Transaction<Database>) => Promise<T>) =>
    db.transaction().execute(work);

  return {
    create: (request, progress, { queueLimit = Number.POSITIVE_INFINITY, keep } = {}) =>
      inTransaction(async (trx) => {
        if ((await count(trx, 'queued')) >= queueLimit) throw queueFull(queueLimit);
        const now = new Date();
        // Made inside the transaction: ids ascend in the order in which jobs become visible, as cursors need.
        const row = newJobRow(`job_${ulid(now.getTime())}`, now, request, progress);
        await trx.insertInto('jobs').values(row).execute();
        await writeEvent(trx, row, 'status', { to: 'queued' });
        const job = toJob(row);
        if (keep) await keepAnswer(trx, keep, job);
        return job;
      }),

    async get(id) {
      const row = await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toJob(row);
    },

    async list({ limit, after, status }) {
      let query = db.selectFrom('jobs').selectAll();
      if (after !== undefined) query = query.where('id', '<', after);
      if (status !== undefined) query = query.where('status', '=', status);
      const rows = await query
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      return toPage(rows, limit, toJob);
    },

    async nextQueued() {
      const oldest = db.selectFrom('jobs').selectAll().where('status', '=', 'queued').orderBy('id').limit(1);
      const row = await oldest.executeTakeFirst();
      return row && toJob(row);
    },

    count: (status) => count(db, status),
    isEmpty: async () => (await db.selectFrom('jobs').select('id').limit(1).executeTakeFirst()) === undefined,

    start: (id) => inTransaction((trx) => startJob(trx, id)),
    requestCancel: (id) => inTransaction((trx) => requestCancel(trx, id)),
    requeue: (id) => inTransaction((trx) => requeueJob(trx, id)),
    requeueInterrupted: () => inTransaction(requeueInterrupted),
    finish: (id, outcome) => inTransaction((trx) => finishJob(trx, id, outcome)),
    recordProgress: (id, progress) => inTransaction((trx) => recordProgress(trx, id, progress)),
    recordEpoch: (id, record, progress) => inTransaction((trx) => recordEpoch(trx, id, record, progress)),
    recordGradientCheck: (id, report) => inTransaction((trx) => recordGradientCheck(trx, id, report)),
  };
}

async function count(db: Kysely<Database>, status: JobStatus): Promise<number> {
  const { jobs } = await db
    .selectFrom('jobs')
    .select(({ fn }) => fn.countAll().as('jobs'))
    .where('status', '=', status)
    .executeTakeFirstOrThrow();
  return Number(jobs);
}

function queueFull(limit: number): AtelierError {
  return new AtelierError(
    'queue-full',
    `${limit} training jobs are queued, and no more are taken. Try again when one has started, or cancel one.`,
  );
}
