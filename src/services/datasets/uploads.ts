/** Adds and deletes uploaded data sets. */
import { type Catalog, listDatasetIds } from '../../datasets/catalog.ts';
import type { UploadedFile } from '../../datasets/upload/form.ts';
import type { CheckedDataset, DatasetSummary } from '../../domain/datasets/representation.ts';
import type { DatasetFields } from '../../domain/datasets/upload-form.ts';
import { AtelierError } from '../../errors.ts';
import type { Precondition } from '../../store/database/rows.ts';
import type { AddedDataset } from '../../store/datasets/repository.ts';
import type { IdempotencyRecord } from '../../store/idempotency.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { DatasetPool } from '../../workers/pools.ts';
import type { DatasetTasks } from '../../workers/tasks/dataset.worker.ts';
import type { MemoryLedger } from '../memory/ledger.ts';
import { largestUpload, reserveUpload } from '../memory/limits.ts';

export type UploadedDatasetService = ReturnType<typeof createUploadedDatasetService>;

export function createUploadedDatasetService(options: {
  datasets: Store['datasets'];
  catalog: Catalog;
  checks: DatasetPool;
  maxDatasetBytes: number;
  /** Limit of an encoded image. */
  maxImagePixels: number;
  memory: MemoryLedger;
}) {
  const { datasets, catalog, checks, maxDatasetBytes, maxImagePixels, memory } = options;

  /** Validates the files in a worker thread, and passes on what it has written to a new file, which it then removes. */
  async function check<T>(
    files: readonly UploadedFile[],
    fields: Omit<DatasetFields, 'name'>,
    signal: AbortSignal,
    use: (target: string, checked: Awaited<ReturnType<DatasetTasks['checkDataset']>>) => T | Promise<T>,
  ): Promise<T> {
    const target = datasets.newFile();
    const maxBytes = Math.min(maxDatasetBytes, largestUpload(memory));
    try {
      const upload = { files, fields, maxBytes, maxPixels: maxImagePixels };
      const measured = await checks.run('measureUpload', upload, signal);
      const chosen =
        measured.chosen ??
        (await checks.run('chooseShape', upload, signal, [], () => reserveUpload(memory, measured)));
      const checked = await checks.run('checkDataset', { ...upload, chosen, target }, signal, [], () =>
        reserveUpload(memory, { ...measured, chosen }),
      );
      return await use(target, checked);
    } finally {
      await datasets.discard(target);
    }
  }

  return {
    /** Path for a part of an upload; the caller discards the file. */
    newFile: datasets.newFile,
    discard: datasets.discard,
    /**
     * Validates the files in a worker thread and stores the data set. The caller still owns the files.
     * @param signal aborts the validation when the client disconnects
     * @throws AtelierError `invalid-dataset-file`, `storage-full`, `overloaded`
     */
    async add(
      files: readonly UploadedFile[],
      { name, ...fields }: DatasetFields,
      signal: AbortSignal,
      idempotency?: IdempotencyRecord<AddedDataset>,
    ) {
      return check(files, fields, signal, async (target, checked) => {
        const added = await datasets.add(target, { ...checked, name }, idempotency);
        if (added.isNew) catalog.add(added.dataset);
        return added;
      });
    },
    /** Validates the files as `add` does, and stores nothing. @throws the same errors */
    async dryRun(
      files: readonly UploadedFile[],
      { name, ...fields }: DatasetFields,
      signal: AbortSignal,
    ): Promise<CheckedDataset> {
      return check(files, fields, signal, (_target, { testDigest: _, ...checked }) => ({
        ...checked,
        name,
        createdAt: null,
      }));
    },
    /**
     * @param precondition called with the data set; its only change is its deletion
     * @throws AtelierError `dataset-not-found`, `dataset-in-use`, and the errors of the precondition
     */
    async remove(id: string, precondition?: Precondition<DatasetSummary>) {
      const dataset = await catalog.find(id);
      if (!dataset) {
        const message = `Data set ${id} does not exist; existing data sets: ${listDatasetIds(catalog)}.`;
        throw new AtelierError('dataset-not-found', message);
      }
      precondition?.(dataset);
      if (dataset.createdAt === null) {
        throw new AtelierError('dataset-in-use', `Data set ${id} is built in and cannot be deleted.`);
      }
      await datasets.remove(id, () => catalog.remove(id));
    },
  };
}
