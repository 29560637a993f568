/** Uploaded data sets of one process: each in a file that is named by its id. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createSemaphore } from '../../concurrency/semaphore.ts';
import { isDiskFull, storageFull, syncPath } from '../blobs/directory.ts';
import { createMarks } from '../blobs/marks.ts';
import { openTemporaryFiles } from '../blobs/temporary.ts';
import type { Rows } from '../database/rows.ts';
import type { Datasets } from '../datasets/repository.ts';
import { createDatasetRows } from '../datasets/rows.ts';

/** The caller must hold the lock of the directory, because incomplete files of a killed process are removed. */
export async function openDatasets(rows: Rows, directory: string): Promise<Datasets> {
  const { newFile } = await openTemporaryFiles(directory);
  const marks = createMarks(directory);
  const datasets = createDatasetRows(rows);
  const filePath = (id: string) => join(directory, id);

  /** Uploads and deletions run one after the other, because a row and its file must change together. */
  const changes = createSemaphore(1);

  async function removeUnlessStored(id: string): Promise<void> {
    if (!(await datasets.find(id))) await rm(filePath(id), { force: true });
  }

  return {
    list: datasets.list,
    find: datasets.find,
    usedBy: datasets.usedBy,
    withFile: ({ id }, read) => read(filePath(id)),
    discard: (file) => rm(file, { force: true }),
    newFile,

    add: (file, dataset, idempotency) =>
      changes.run(async () => {
        const before = await datasets.find(dataset.id);
        try {
          await marks.add(dataset.id);
          await rename(file, filePath(dataset.id));
          await syncPath(directory);
          return await datasets.add(dataset, idempotency);
        } catch (error) {
          // If the sync of the row failed, the store refuses to read it, and the file stays: the row may exist.
          if (!before) await removeUnlessStored(dataset.id).catch(() => {}); // the first error is reported
          throw isDiskFull(error) ? storageFull('the data set', error) : error;
        } finally {
          await marks.remove(dataset.id);
        }
      }),

    remove: (id, onRemoved = () => {}) =>
      changes.run(async () => {
        await datasets.remove(id);
        onRemoved();
        await rm(filePath(id), { force: true });
      }),
  };
}
