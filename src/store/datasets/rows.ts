/** The rows of uploaded data sets. */
import type { Kysely, Transaction } from 'kysely';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import { type JobStatus, UNFINISHED_STATUSES } from '../../domain/jobs/status.ts';
import { UNFINISHED_PREDICTIONS } from '../../domain/predictions/job.ts';
import { AtelierError } from '../../errors.ts';
import { decode, decodeOptional, decodeReadable, encode } from '../database/json-column.ts';
import type { Rows } from '../database/rows.ts';
import type { Database, DatasetRow } from '../database/tables.ts';
import { timestampAfter } from '../database/timestamps.ts';
import { createOnce, type IdempotencyRecord } from '../idempotency.ts';
import { insertTestSplit } from '../models/looks.ts';
import type { AddedDataset, NewDataset } from './repository.ts';

/** Ids of built-in data sets do not begin with it. */
const UPLOADED_PREFIX = 'dst_';

export function createDatasetRows({ db, inTransaction, inReservedTransaction }: Rows) {
  const selectRow = (from: Kysely<Database>, id: string) =>
    from.selectFrom('datasets').selectAll().where('id', '=', id).executeTakeFirst();

  async function insertUnlessStored(trx: Transaction<Database>, dataset: NewDataset): Promise<AddedDataset> {
    const newest = trx.selectFrom('datasets').select(({ fn }) => fn.max('created_at').as('at'));
    const createdAt = timestampAfter((await newest.executeTakeFirstOrThrow()).at);
    await insertTestSplit(trx, { datasetDigest: dataset.digest, testDigest: dataset.testDigest });
    for (;;) {
      const inserted = await trx
        .insertInto('datasets')
        .values(toRow(dataset, createdAt))
        .onConflict((conflict) => conflict.doNothing())
        .returningAll()
        .executeTakeFirst();
      if (inserted) return { dataset: toSummary(inserted), isNew: true };
      const existing = await selectRow(trx, dataset.id);
      if (existing) return { dataset: toSummary(existing), isNew: false };
      // It was deleted between the two statements.
    }
  }

  return {
    usedBy: (statuses: readonly JobStatus[]) => usedBy(db, statuses),

    async list() {
      const rows = await db
        .selectFrom('datasets')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .execute();
      return rows.map(toSummary);
    },

    async find(id: string) {
      const row = await selectRow(db, id);
      return row && toSummary(row);
    },

    /** Inserts the row, or finds the existing one. */
    add: (dataset: NewDataset, idempotency?: IdempotencyRecord<AddedDataset>) =>
      inTransaction((trx) => createOnce(trx, idempotency, () => insertUnlessStored(trx, dataset))),

    /** @throws AtelierError `dataset-in-use` if an unfinished job trains on it or predicts it, `dataset-not-found` */
    remove: (id: string) =>
      inReservedTransaction(async (trx) => {
        await lockDataset(trx, id);
        const used = await usedBy(trx, UNFINISHED_STATUSES);
        const training = [...used].flatMap(([job, dataset]) => (dataset === id ? [job] : []));
        const jobs = [...training, ...(await listPredictions(trx, id))];
        if (jobs.length > 0) throw datasetInUse(id, jobs);
        const deleted = await trx
          .deleteFrom('datasets')
          .where('id', '=', id)
          .returning('id')
          .executeTakeFirst();
        if (!deleted) throw new AtelierError('dataset-not-found', `Data set ${id} does not exist.`);
      }),
  };
}

/** Ids of the unfinished jobs that predict the images of the data set. */
async function listPredictions(trx: Transaction<Database>, id: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('prediction_jobs')
    .select('id')
    .where('dataset_id', '=', id)
    .where('status', 'in', UNFINISHED_PREDICTIONS)
    .execute();
  return rows.map((job) => job.id);
}

async function usedBy(
  from: Kysely<Database>,
  statuses: readonly JobStatus[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await from
    .selectFrom('jobs')
    .select(['id', 'request'])
    .where('status', 'in', statuses)
    .execute();
  const used = rows.flatMap(({ id, request }) => {
    // A job with a damaged request fails when it starts.
    const dataset = decodeReadable<ResolvedTrainingRequest>(request)?.dataset;
    return dataset === undefined ? [] : [[id, dataset] as const];
  });
  return new Map(used);
}

/**
 * Checks that an uploaded data set still exists; built-in ones have no row. Once the job is created, the data set cannot
 * be deleted.
 * @throws AtelierError `unknown-dataset` if it has been deleted
 */
export async function assertDataset(
  trx: Transaction<Database>,
  { dataset }: Pick<ResolvedTrainingRequest, 'dataset'>,
): Promise<void> {
  if (!dataset.startsWith(UPLOADED_PREFIX)) return;
  if (await lockDataset(trx, dataset)) return;
  throw new AtelierError('unknown-dataset', `Data set ${dataset} has just been deleted.`, {
    details: [{ pointer: '#/dataset', detail: 'must be an existing data set' }],
  });
}

/**
 * Locks the row: of the deletion and a new job, one waits for the other.
 * @returns whether the data set exists
 */
async function lockDataset(trx: Transaction<Database>, id: string): Promise<boolean> {
  const row = trx.selectFrom('datasets').select('id').where('id', '=', id).forNoKeyUpdate();
  return (await row.executeTakeFirst()) !== undefined;
}

function datasetInUse(id: string, jobs: readonly string[]): AtelierError {
  const some = jobs.slice(0, 5).join(', ');
  return new AtelierError(
    'dataset-in-use',
    `Data set ${id} is in use by jobs (${jobs.length}): ${some}. Wait for them or cancel them, then delete it.`,
  );
}

function toRow(
  { id, name, imageShape, classNames, splits, digest, report, preprocessing }: NewDataset,
  createdAt: string,
): DatasetRow {
  return {
    id,
    name,
    created_at: createdAt,
    image_shape: encode(imageShape),
    class_names: encode(classNames),
    splits: encode(splits),
    digest,
    report: encode(report),
    preprocessing: preprocessing === null ? null : encode(preprocessing),
  };
}

function toSummary(row: DatasetRow): DatasetSummary {
  return {
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    imageShape: decode(row.image_shape),
    classNames: decode(row.class_names),
    splits: decode(row.splits),
    digest: row.digest,
    preprocessing: decodeOptional(row.preprocessing),
    report: decode(row.report),
  };
}
