/** Uploaded data sets: tensors in files, metadata in rows. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely, Transaction } from 'kysely';
import type { DatasetSummary } from '../domain/dataset.ts';
import type { DatasetReport } from '../domain/dataset-report.ts';
import {
  isEnded,
  JOB_STATUSES,
  type JobStatus,
  type ResolvedTrainingRequest,
} from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import { isDiskFull, storageFull, syncPath } from './directory.ts';
import { type IdempotencyRecord, saveResponse } from './idempotency.ts';
import { decode, encode } from './json-column.ts';
import { createMutex } from './mutex.ts';
import type { Rows } from './rows.ts';
import type { Database, DatasetRow } from './tables.ts';
import { timestampAfter } from './timestamps.ts';

export type NewDataset = Omit<DatasetSummary, 'createdAt' | 'imageShape' | 'report'> & {
  readonly report: DatasetReport;
};

export interface AddedDataset {
  readonly dataset: DatasetSummary;
  /** Whether the data set did not exist before. */
  readonly isNew: boolean;
}

export interface Datasets {
  /** Newest first. */
  list(): Promise<DatasetSummary[]>;
  /** Path of a new temporary file on the disk of the data sets. The next start removes it if it still exists. */
  newFile(): string;
  /** Does nothing if the file does not exist. */
  discard(file: string): Promise<void>;
  filePath(id: string): string;
  /**
   * Adds a data set durably. An existing one keeps its name and time; its file is replaced, which repairs it.
   * @param file path from `newFile`, already synced; the file is moved
   * @throws AtelierError `storage-full`
   */
  add(
    file: string,
    dataset: NewDataset,
    idempotency?: IdempotencyRecord<AddedDataset>,
  ): Promise<AddedDataset>;
  /**
   * Checks and deletes in one transaction; `Jobs.create` checks in its own that the data set exists.
   * @param onRemoved called between the deletions of row and file, so that the data set is never found without its file
   * @throws AtelierError `dataset-in-use` if an unfinished job trains on it, `dataset-not-found`
   */
  remove(id: string, onRemoved?: () => void): Promise<void>;
  /** Data set ids of the jobs with these statuses, by job id. */
  usedBy(statuses: readonly JobStatus[]): Promise<ReadonlyMap<string, string>>;
}

const TEMPORARY_SUFFIX = '.tmp';
/** Ids of built-in data sets do not begin with it. */
const UPLOADED_PREFIX = 'dst_';
const UNFINISHED_STATUSES = JOB_STATUSES.filter((status) => !isEnded(status));

/** The caller must hold the lock of the directory, because incomplete files of a killed process are removed. */
export async function openDatasets(
  { db, inTransaction, withReserve }: Rows,
  directory: string,
): Promise<Datasets> {
  await mkdir(directory, { recursive: true });
  const filePath = (id: string) => join(directory, id);
  const selectRow = (id: string, from: Kysely<Database> = db) =>
    from.selectFrom('datasets').selectAll().where('id', '=', id).executeTakeFirst();

  for (const name of await readdir(directory)) {
    if (name.endsWith(TEMPORARY_SUFFIX)) await rm(join(directory, name), { force: true });
  }

  /** Uploads and deletions run one after the other, because a row and its file must change together. */
  const changes = createMutex();

  async function removeUnlessStored(id: string): Promise<void> {
    if (!(await selectRow(id))) await rm(filePath(id), { force: true });
  }

  async function usedBy(
    statuses: readonly JobStatus[],
    from: Kysely<Database> = db,
  ): Promise<ReadonlyMap<string, string>> {
    const rows = await from
      .selectFrom('jobs')
      .select(['id', 'request'])
      .where('status', 'in', statuses)
      .execute();
    const used = rows.flatMap(({ id, request }) => {
      const dataset = readDataset(request);
      return dataset === undefined ? [] : [[id, dataset] as const];
    });
    return new Map(used);
  }

  async function newestTime(): Promise<string | null> {
    const newest = db.selectFrom('datasets').select(({ fn }) => fn.max('created_at').as('at'));
    return (await newest.executeTakeFirstOrThrow()).at;
  }

  return {
    filePath,
    usedBy: (statuses) => usedBy(statuses),
    discard: (file) => rm(file, { force: true }),
    newFile: () => join(directory, `${randomUUID()}${TEMPORARY_SUFFIX}`),
    async list() {
      const rows = await db
        .selectFrom('datasets')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .execute();
      return rows.map(toSummary);
    },

    add: (file, dataset, idempotency) =>
      changes.run(async () => {
        const before = await selectRow(dataset.id);
        const row = before ?? toRow(dataset, timestampAfter(await newestTime()));
        try {
          await rename(file, filePath(row.id));
          await syncPath(directory);
          return await inTransaction(async (trx) => {
            if (!before) await trx.insertInto('datasets').values(row).execute();
            const added = { dataset: toSummary(row), isNew: !before };
            if (idempotency) await saveResponse(trx, idempotency, added);
            return added;
          });
        } catch (error) {
          // If the sync of the row failed, the store refuses to read it, and the file stays: the row may exist.
          if (!before) await removeUnlessStored(row.id).catch(() => {}); // the first error is reported
          throw isDiskFull(error) ? storageFull('the data set', error) : error;
        }
      }),

    remove: (id, onRemoved = () => {}) =>
      changes.run(async () => {
        await withReserve(() =>
          inTransaction(async (trx) => {
            await lockDataset(trx, id);
            const jobs = [...(await usedBy(UNFINISHED_STATUSES, trx))].flatMap(([job, dataset]) =>
              dataset === id ? [job] : [],
            );
            if (jobs.length > 0) throw datasetInUse(id, jobs);
            const deleted = await trx
              .deleteFrom('datasets')
              .where('id', '=', id)
              .returning('id')
              .executeTakeFirst();
            if (!deleted) throw new AtelierError('dataset-not-found', `Data set ${id} does not exist.`);
          }),
        );
        onRemoved();
        await rm(filePath(id), { force: true });
      }),
  };
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
 * Locks the row on databases with many connections: of the deletion and a new job, one waits for the other.
 * @returns whether the data set exists
 */
async function lockDataset(trx: Transaction<Database>, id: string): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('datasets')
    .set((eb) => ({ name: eb.ref('name') }))
    .where('id', '=', id)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Returns undefined if the value is damaged; that job will fail when it starts. */
function readDataset(request: string): string | undefined {
  try {
    return decode<ResolvedTrainingRequest>(request).dataset;
  } catch {
    return undefined;
  }
}

function datasetInUse(id: string, jobs: readonly string[]): AtelierError {
  const some = jobs.slice(0, 5).join(', ');
  return new AtelierError(
    'dataset-in-use',
    `Data set ${id} is in use by jobs (${jobs.length}): ${some}. Wait for them or cancel them, then delete it.`,
  );
}

function toRow({ id, name, classNames, splits, digest, report }: NewDataset, createdAt: string): DatasetRow {
  return {
    id,
    name,
    created_at: createdAt,
    class_names: encode(classNames),
    splits: encode(splits),
    digest,
    report: encode(report),
  };
}

function toSummary(row: DatasetRow): DatasetSummary {
  return {
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    imageShape: [28, 28],
    classNames: decode(row.class_names),
    splits: decode(row.splits),
    digest: row.digest,
    report: decode(row.report),
  };
}
