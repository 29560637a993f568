/** Repository of prediction jobs. */
import type { Kysely, Transaction } from 'kysely';
import { encodeTime } from 'ulid';
import {
  type NewPredictionJob,
  type PredictionJob,
  type PredictionStatus,
  UNFINISHED_PREDICTIONS,
} from '../../domain/predictions/job.ts';
import { AtelierError } from '../../errors.ts';
import type { RefCountedBlobs } from '../blobs/ref-counted.ts';
import { nextId } from '../database/ids.ts';
import { type StatusQuery, toPage } from '../database/pagination.ts';
import { countRows, type Precondition, type Rows } from '../database/rows.ts';
import type { Database, PredictionFileTable, PredictionJobRow } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';
import { assertDataset } from '../datasets/rows.ts';
import { createOnce, type IdempotencyRecord } from '../idempotency.ts';
import { HELD_JOBS_FACTOR } from '../jobs/repository.ts';
import { countLook, type Look } from '../models/looks.ts';
import { assertUndeleted } from '../models/versions.ts';
import { newPredictionRow, toPredictionJob, toReadablePrediction } from './rows.ts';
import {
  createPredictionRun,
  deleteFiles,
  recoverPrediction,
  recoverPredictions,
  startPrediction,
} from './runs.ts';

const TIME_CHARS = 10;

interface CreateOptions {
  /** The uploaded array; a copy is stored. */
  readonly input?: string | undefined;
  readonly queueLimit: number;
  /** Counted with the job; its result may be revealed. */
  readonly look?: Look | undefined;
  readonly idempotency?: IdempotencyRecord<PredictionJob> | undefined;
}

/** Methods that change a job throw AtelierError `prediction-job-not-found`, or `illegal-transition`. */
export type PredictionJobs = ReturnType<typeof createPredictionJobs>;

export function createPredictionJobs(rows: Rows, blobs: RefCountedBlobs) {
  const { db, inTransaction, inReservedTransaction, lockQueue } = rows;

  /** Frees space, so it also works on a full disk. */
  async function releasing<T>(work: (trx: Transaction<Database>) => Promise<[T, string[]]>): Promise<T> {
    const [result, released] = await inReservedTransaction(work);
    // The job has changed whether or not the files can be removed; the next start removes the rest.
    await blobs.release(released).catch(() => {});
    return result;
  }

  return {
    /**
     * @throws AtelierError `queue-full` if `queueLimit` jobs are queued; `unknown-dataset` or `unknown-model` if one was
     *   deleted; `storage-full`
     */
    async create(job: NewPredictionJob, { input, queueLimit, look, idempotency }: CreateOptions) {
      const insert = (digest: string | null) =>
        inTransaction((trx) =>
          createOnce(trx, idempotency, async () => {
            await lockQueue(trx);
            await assertRoomForNew(trx, queueLimit);
            if ('dataset' in job.source) await assertDataset(trx, job.source);
            await assertUndeleted(trx, job.model, '#/model');
            const createdAt = timestamp();
            const row = newPredictionRow(await nextId(trx, 'prediction_jobs', createdAt), createdAt, job);
            await trx.insertInto('prediction_jobs').values(row).execute();
            if (digest !== null) {
              await trx
                .insertInto('prediction_files')
                .values({ job_id: row.id, kind: 'input', digest })
                .execute();
            }
            if (look) await countLook(trx, look);
            return toPredictionJob(row);
          }),
        );
      return input === undefined ? insert(null) : blobs.putFileReferenced(input, insert);
    },

    /** @throws AtelierError `queue-full` */
    assertQueueHasRoom: (queueLimit: number) => assertRoomForNew(db, queueLimit),

    async get(id: string) {
      const row = await selectRow(db, id);
      return row && toPredictionJob(row);
    },

    /** Newest first, without jobs whose row is damaged. */
    async list({ limit, after, status }: StatusQuery<PredictionStatus>) {
      let query = db
        .selectFrom('prediction_jobs')
        .selectAll()
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (after !== undefined) query = query.where('id', '<', after);
      if (status !== undefined) query = query.where('status', '=', status);
      const page = toPage(await query.execute(), limit, toReadablePrediction);
      return { ...page, data: page.data.flatMap((job) => job ?? []) };
    },

    /** The oldest queued job, or the next one after another. */
    nextQueued(after?: { readonly id: string }) {
      const queued = db.selectFrom('prediction_jobs').select('id').where('status', '=', 'queued');
      const later = after === undefined ? queued : queued.where('id', '>', after.id);
      return later.orderBy('id').limit(1).executeTakeFirst();
    },

    /** Starts a run of a queued job. @returns null if the job is not queued any more, or its row is damaged */
    async start(id: string, runner?: string) {
      const row = await inTransaction((trx) => startPrediction(trx, id, runner));
      return row ? createPredictionRun(row, rows, blobs) : null;
    },

    /** Digest of a file of the job; undefined if it has none of this kind. */
    async digest(id: string, kind: PredictionFileTable['kind']) {
      const file = db.selectFrom('prediction_files').select('digest').where('job_id', '=', id);
      return (await file.where('kind', '=', kind).executeTakeFirst())?.digest;
    },
    /** Writes a copy of a file of the job to a new path. @throws AtelierError `state-unusable`, `storage-full` */
    copyFile: blobs.getFile,

    /** An unfinished job is cancelled at once; what its runner still writes is refused. */
    cancel: (id: string, precondition?: Precondition<PredictionJob>) =>
      releasing(async (trx) => {
        const before = await lockRow(trx, id);
        precondition?.(toPredictionJob(before));
        if (!isUnfinished(before)) throw illegal(before, 'has already ended');
        const cancelled = await change(trx, id, {
          status: 'cancelled',
          runner: null,
          pause_reason: null,
          finished_at: timestamp(before.started_at ?? before.created_at),
        });
        return [cancelled, await deleteFiles(trx, id)];
      }),

    /** A running job is paused at once, and will begin again; what its runner still writes is refused. */
    pause: (id: string, precondition?: Precondition<PredictionJob>) =>
      inReservedTransaction(async (trx) => {
        const before = await lockRow(trx, id);
        precondition?.(toPredictionJob(before));
        if (before.status !== 'queued' && before.status !== 'running') {
          throw illegal(before, 'cannot be paused. Only queued or running jobs can be paused');
        }
        return change(trx, id, { status: 'paused', runner: null, done: 0 });
      }),

    /**
     * Queues a paused job again.
     * @throws AtelierError `queue-full` if `queueLimit` jobs are queued
     */
    resume: (id: string, queueLimit: number, precondition?: Precondition<PredictionJob>) =>
      inTransaction(async (trx) => {
        await lockQueue(trx);
        const before = await lockRow(trx, id);
        precondition?.(toPredictionJob(before));
        if (before.status !== 'paused') {
          throw illegal(before, 'cannot be resumed. Only paused jobs can be resumed');
        }
        await assertRoom(trx, queueLimit);
        return change(trx, id, { status: 'queued', pause_reason: null, unclean_ends: 0 });
      }),

    /** Deletes an ended job with its result. */
    remove: (id: string, precondition?: Precondition<PredictionJob>) =>
      releasing(async (trx) => {
        const before = await lockRow(trx, id);
        precondition?.(toPredictionJob(before));
        if (isUnfinished(before)) throw illegal(before, 'cannot be deleted. Cancel it first');
        const released = await deleteFiles(trx, id);
        await trx.deleteFrom('prediction_jobs').where('id', '=', id).execute();
        return [undefined, released];
      }),

    /** Ids of jobs that ended before a time, the oldest first. */
    async endedBefore(time: Date, limit: number) {
      const ended = db
        .selectFrom('prediction_jobs')
        .select('id')
        // An id begins with the time of its creation, and a job created later cannot have ended before.
        .where('id', '<', `prd_${encodeTime(time.getTime(), TIME_CHARS)}`)
        .where('finished_at', '<', time.toISOString())
        .orderBy('id')
        .limit(limit);
      return (await ended.execute()).map(({ id }) => id);
    },

    /** Call when the runner of a running job is dead: queues it again, or pauses it after five such ends. */
    recoverOne: (id: string, run: number) =>
      inReservedTransaction((trx) => recoverPrediction(trx, { id, run })),
    /** Call when the service starts, if no other one uses the database. */
    recoverInterrupted: () => inReservedTransaction(recoverPredictions),
  };
}

const isUnfinished = ({ status }: PredictionJobRow) =>
  (UNFINISHED_PREDICTIONS as readonly PredictionStatus[]).includes(status);

const selectRow = (db: Kysely<Database>, id: string) =>
  db.selectFrom('prediction_jobs').selectAll().where('id', '=', id).executeTakeFirst();

async function lockRow(trx: Transaction<Database>, id: string): Promise<PredictionJobRow> {
  const job = trx.selectFrom('prediction_jobs').selectAll().where('id', '=', id).forNoKeyUpdate();
  const row = await job.executeTakeFirst();
  if (row !== undefined) return row;
  throw new AtelierError('prediction-job-not-found', `Prediction job ${id} does not exist.`);
}

async function change(
  trx: Transaction<Database>,
  id: string,
  values: Partial<PredictionJobRow>,
): Promise<PredictionJob> {
  const row = trx.updateTable('prediction_jobs').set(values).where('id', '=', id).returningAll();
  return toPredictionJob(await row.executeTakeFirstOrThrow());
}

function illegal({ id, status }: PredictionJobRow, problem: string): AtelierError {
  return new AtelierError('illegal-transition', `Prediction job ${id} is ${status} and ${problem}.`);
}

/** @throws AtelierError `queue-full` */
async function assertRoom(db: Kysely<Database>, queueLimit: number): Promise<void> {
  if ((await countWith(db, ['queued'])) < queueLimit) return;
  throw new AtelierError(
    'queue-full',
    `The queue is full: ${queueLimit} prediction jobs are queued. Try again when one has started, or cancel one.`,
    { retryAfterSeconds: 5 },
  );
}

/** Paused jobs keep their files, so their number has a limit. @throws AtelierError `queue-full` */
async function assertRoomForNew(db: Kysely<Database>, queueLimit: number): Promise<void> {
  await assertRoom(db, queueLimit);
  const heldLimit = HELD_JOBS_FACTOR * queueLimit;
  if ((await countWith(db, ['queued', 'paused'])) < heldLimit) return;
  throw new AtelierError(
    'queue-full',
    `${heldLimit} prediction jobs are queued or paused, the limit. Resume or cancel paused ones.`,
  );
}

const countWith = (db: Kysely<Database>, statuses: readonly PredictionStatus[]) =>
  countRows(db.selectFrom('prediction_jobs').where('status', 'in', statuses));

/** Number of unfinished jobs by status, without statuses that no job has. */
export async function countPredictions(db: Kysely<Database>): Promise<ReadonlyMap<PredictionStatus, number>> {
  const counts = await db
    .selectFrom('prediction_jobs')
    .select(({ fn }) => ['status', fn.countAll().as('jobs')])
    .where('status', 'in', UNFINISHED_PREDICTIONS)
    .groupBy('status')
    .execute();
  return new Map(counts.map(({ status, jobs }) => [status, Number(jobs)]));
}
