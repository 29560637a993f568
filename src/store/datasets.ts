/** Data sets that were uploaded: their tensors in files, what is known of them in rows. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { DatasetSummary } from '../domain/dataset.ts';
import type { DatasetReport } from '../domain/dataset-report.ts';
import {
  isEnded,
  JOB_STATUSES,
  type JobStatus,
  type ResolvedTrainingRequest,
} from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import { isStorageFull, storageFull, syncDirectory } from './directory.ts';
import { type IdempotencyRecord, saveResponse } from './idempotency.ts';
import { decode, encode } from './json.ts';
import type { Database, DatasetRow } from './tables.ts';

export type NewDataset = Omit<DatasetSummary, 'createdAt' | 'imageShape' | 'report'> & {
  readonly report: DatasetReport;
};

export interface AddedDataset {
  readonly dataset: DatasetSummary;
  /** Whether it was not there before. */
  readonly isNew: boolean;
}

export interface Datasets {
  /** Newest first. */
  list(): Promise<DatasetSummary[]>;
  /** Of a file that nobody has, on the disk of the data sets; the next start removes it if it is still there. */
  newFile(): string;
  /** Does nothing where it is gone. */
  discard(file: string): Promise<void>;
  filePath(id: string): string;
  /**
   * Durable when it resolves. One that is there already keeps its name and its time, and its file is replaced, which
   * heals a damaged one.
   * @param file from `newFile`, synced; it is moved away
   */
  add(
    file: string,
    dataset: NewDataset,
    idempotency?: IdempotencyRecord<AddedDataset>,
  ): Promise<AddedDataset>;
  /** @throws AtelierError `dataset-in-use` where a job that has not ended is to train on it */
  remove(id: string): Promise<void>;
  /** Ids of the data sets of jobs of these statuses, by job. */
  usedBy(statuses: readonly JobStatus[]): Promise<ReadonlyMap<string, string>>;
}

const UNFINISHED_STATUSES = JOB_STATUSES.filter((status) => !isEnded(status));

/** The caller holds the lock of the state directory: what a killed process left half done is removed. */
export async function openDatasets(db: Kysely<Database>, directory: string): Promise<Datasets> {
  await mkdir(directory, { recursive: true });
  const filePath = (id: string) => join(directory, id);
  const selectRow = (id: string, from: Kysely<Database> = db) =>
    from.selectFrom('datasets').selectAll().where('id', '=', id).executeTakeFirst();

  const knownIds = new Set((await db.selectFrom('datasets').select('id').execute()).map(({ id }) => id));
  for (const name of await readdir(directory)) if (!knownIds.has(name)) await rm(join(directory, name));

  /** A row and its file change together: one upload or deletion after the other. */
  let last: Promise<unknown> = Promise.resolve();
  function serialized<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  }

  async function usedBy(statuses: readonly JobStatus[]): Promise<ReadonlyMap<string, string>> {
    const rows = await db
      .selectFrom('jobs')
      .select(['id', 'request'])
      .where('status', 'in', statuses)
      .execute();
    return new Map(rows.map(({ id, request }) => [id, decode<ResolvedTrainingRequest>(request).dataset]));
  }

  return {
    filePath: filePath,
    usedBy,
    discard: (file) => rm(file, { force: true }),
    newFile: () => join(directory, `${randomUUID()}.tmp`),
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
      serialized(async () => {
        const before = await selectRow(dataset.id);
        const row = before ?? toRow(dataset);
        try {
          await rename(file, filePath(row.id));
          await syncDirectory(directory);
          return await db.transaction().execute(async (trx) => {
            if (!before) await trx.insertInto('datasets').values(row).execute();
            const added = { dataset: toSummary(row), isNew: !before };
            if (idempotency) await saveResponse(trx, idempotency, added);
            return added;
          });
        } catch (error) {
          if (!before) await rm(filePath(row.id), { force: true }).catch(() => {}); // the first failure is the one to tell
          throw isStorageFull(error) ? storageFull('the data set', error) : error;
        }
      }),

    remove: (id) =>
      serialized(async () => {
        const jobs = [...(await usedBy(UNFINISHED_STATUSES))].flatMap(([job, dataset]) =>
          dataset === id ? [job] : [],
        );
        if (jobs.length > 0) throw datasetInUse(id, jobs);
        await db.deleteFrom('datasets').where('id', '=', id).execute();
        await rm(filePath(id), { force: true });
      }),
  };
}

function datasetInUse(id: string, jobs: readonly string[]): AtelierError {
  const some = jobs.slice(0, 5).join(', ');
  return new AtelierError(
    'dataset-in-use',
    `Data set ${id} is what ${jobs.length} training jobs are to train on: ${some}. Wait for them, or cancel them; then delete it.`,
  );
}

function toRow({ id, name, classNames, splits, digest, report }: NewDataset): DatasetRow {
  return {
    id,
    name,
    created_at: new Date().toISOString(),
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
