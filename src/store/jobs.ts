/** Training jobs: created, found, and handed to what changes them. */
import type { Kysely, Transaction } from 'kysely';
import { monotonicFactory } from 'ulid';
import type { EpochRecord, Progress } from '../domain/epoch-record.ts';
import type { ExecutionEnvironment, ReproductionTarget } from '../domain/reproducibility.ts';
import type {
  GradientCheckSummary,
  JobStatus,
  ResolvedTrainingRequest,
  TrainingJob,
} from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import type { EpochWarning } from '../numerics/epoch-warnings.ts';
import { writeEvent } from './events.ts';
import { type IdempotencyRecord, saveResponse } from './idempotency.ts';
import { recordEpoch, recordGradientCheck, recordProgress } from './job-progress.ts';
import { newJobRow, toJob } from './job-rows.ts';
import {
  finishJob,
  type JobOutcome,
  recoverInterrupted,
  releaseJob,
  requestCancel,
  requestPause,
  requeueJob,
  resumeJob,
  startJob,
} from './job-status.ts';
import { assertWarmStart } from './model-versions.ts';
import { type Page, toPage } from './pagination.ts';
import type { Database } from './tables.ts';

/**
 * Every change of status goes through the domain's `transition` and writes its `status` event in the same transaction.
 * Methods that change a job throw AtelierError `training-job-not-found`, and `illegal-transition` where its status does
 * not allow it. Calls that are not awaited may overtake each other.
 */
export interface Jobs {
  /**
   * @param options `keep` keeps the answer that tells of the job, in the same transaction; with an `expectation` the job
   *   is a verification, which publishes nothing
   * @throws AtelierError `queue-full` when `queueLimit` jobs are queued already; counted in the transaction.
   *   `unknown-model` where the version to start from has been deleted
   */
  create(
    request: ResolvedTrainingRequest,
    progress: Progress,
    options?: {
      readonly queueLimit?: number | undefined;
      readonly idempotency?: IdempotencyRecord<TrainingJob> | undefined;
      readonly target?: ReproductionTarget | undefined;
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
  /** `startedAt` is that of the first start; the circumstances are those of the last one. */
  start(
    id: string,
    detectEnvironment?: (request: ResolvedTrainingRequest) => ExecutionEnvironment | null,
  ): Promise<TrainingJob>;
  /** A queued or paused job is cancelled at once; one at work is cancelling until `settle`. */
  requestCancel(id: string): Promise<TrainingJob>;
  /** A queued job is paused at once; a running one is pausing until `settle`. */
  requestPause(id: string): Promise<TrainingJob>;
  /**
   * Of a paused job, which is queued again.
   * @throws AtelierError `queue-full` as `create` does
   */
  resume(id: string, options?: { readonly queueLimit?: number | undefined }): Promise<TrainingJob>;
  /** Its thread has stopped, after so many steps: a pausing job is paused, a cancelling one cancelled, a running one queued again. */
  release(id: string, step?: number): Promise<TrainingJob>;
  /** At start: settles what a killed process left at work. */
  recoverInterrupted(): Promise<TrainingJob[]>;
  /** Its thread has failed: settles the job for a further attempt, or fails it where none is left. */
  requeue(id: string, failure: Extract<JobOutcome, { status: 'failed' }>): Promise<TrainingJob>;
  /** Success publishes the next version of the job's model, unless it is a verification; its parameters are in `blobs` already. */
  finish(id: string, outcome: JobOutcome): Promise<TrainingJob>;
  /** With its `progress` event; the job is at work. */
  recordProgress(id: string, progress: Progress): Promise<void>;
  /** Metrics, latest, best, progress, and the `epoch` and `warning` events in one transaction; the job is at work. */
  recordEpoch(
    id: string,
    record: EpochRecord,
    warnings: readonly EpochWarning[],
    progress: Progress,
  ): Promise<void>;
  /** Of the check before the start; the job is at work. */
  recordGradientCheck(id: string, report: GradientCheckSummary): Promise<void>;
}

export function createJobs(db: Kysely<Database>): Jobs {
  const ulid = monotonicFactory();
  const inTransaction = <T>(work: (trx: Transaction<Database>) => Promise<T>) =>
    db.transaction().execute(work);

  return {
    create: (request, progress, { queueLimit = Number.POSITIVE_INFINITY, idempotency, target } = {}) =>
      inTransaction(async (trx) => {
        if ((await count(trx, 'queued')) >= queueLimit) throw queueFull(queueLimit);
        await assertWarmStart(trx, request);
        const now = new Date();
        // Made inside the transaction: ids ascend in the order in which jobs become visible, as cursors need.
        const row = newJobRow(`job_${ulid(now.getTime())}`, now, request, progress, target ?? null);
        await trx.insertInto('jobs').values(row).execute();
        await writeEvent(trx, row, 'status', { to: 'queued' });
        const job = toJob(row);
        if (idempotency) await saveResponse(trx, idempotency, job);
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

    start: (id, detectEnvironment = () => null) =>
      inTransaction((trx) => startJob(trx, id, detectEnvironment)),
    requestCancel: (id) => inTransaction((trx) => requestCancel(trx, id)),
    requestPause: (id) => inTransaction((trx) => requestPause(trx, id)),
    resume: (id, { queueLimit = Number.POSITIVE_INFINITY } = {}) =>
      inTransaction(async (trx) => {
        // First the job: one that cannot be resumed is not to be tried again. It is among those counted.
        const job = await resumeJob(trx, id);
        if ((await count(trx, 'queued')) > queueLimit) throw queueFull(queueLimit);
        return job;
      }),
    release: (id, step) => inTransaction((trx) => releaseJob(trx, id, step)),
    recoverInterrupted: () => inTransaction(recoverInterrupted),
    requeue: (id, failure) => inTransaction((trx) => requeueJob(trx, id, failure)),
    finish: (id, outcome) => inTransaction((trx) => finishJob(trx, id, outcome)),
    recordProgress: (id, progress) => inTransaction((trx) => recordProgress(trx, id, progress)),
    recordEpoch: (id, record, warnings, progress) =>
      inTransaction((trx) => recordEpoch(trx, id, record, warnings, progress)),
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
