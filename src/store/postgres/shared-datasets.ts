/** Uploaded data sets that processes share: each is a blob, with a cache of files in every process. */
import { rm } from 'node:fs/promises';
import { hasCode } from '../../errors.ts';
import { openFileCache } from '../blobs/cache.ts';
import type { BlobStore } from '../blobs/content-addressed.ts';
import type { Rows } from '../database/rows.ts';
import type { Datasets } from '../datasets/repository.ts';
import { createDatasetRows } from '../datasets/rows.ts';
import { putAndRefer } from './blobs/referenced.ts';

/**
 * @param directory the cache; must belong to one process
 * @param maxBytes of files in the cache that are not in use
 */
export async function openSharedDatasets(
  rows: Rows,
  blobs: BlobStore,
  directory: string,
  maxBytes: number,
): Promise<Datasets> {
  const datasets = createDatasetRows(rows);
  const cache = await openFileCache({
    directory,
    maxBytes,
    copyTo: blobs.getFile,
    isDamaged: (error) => hasCode(error, 'dataset-damaged'),
  });
  return {
    list: datasets.list,
    find: datasets.find,
    usedBy: datasets.usedBy,
    newFile: cache.newFile,
    discard: (file) => rm(file, { force: true }),
    withFile: ({ digest }, read) => cache.withFile(digest, read),

    async add(file, dataset, idempotency) {
      const added = await putAndRefer(
        () => blobs.putFile(file),
        async (digest) => {
          if (digest !== dataset.digest)
            throw new Error(`The digest of data set ${dataset.id} is not ${digest}.`);
          return datasets.add(dataset, idempotency);
        },
      );
      await cache.add(dataset.digest, file).catch(() => {}); // it is fetched when it is needed
      return added;
    },

    // The blob is removed by `collectBlobs`, the file when others need its place.
    async remove(id, onRemoved = () => {}) {
      await datasets.remove(id);
      onRemoved();
    },
  };
}
