/** Cache of image statistics, computed once per data set. */
import { type Catalog, listDatasetIds } from '../../datasets/catalog.ts';
import { AtelierError } from '../../errors.ts';
import type { ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import type { NumericPool } from '../../workers/pools.ts';
import type { LoadedModel } from '../models/loaded-version.ts';
import { createCoalescingCache } from './coalesce.ts';

/** Number of cached data sets; each takes 10 kilobytes per class, a megabyte at most. */
const MAX_CACHED = 16;
/** Fewer training images do not show which values are rare. */
const MIN_IMAGES = 100;

/**
 * The first call for a data set takes about a second in a worker thread.
 * @throws AtelierError `unknown-dataset` if the data set of the model is unknown or deleted; `impossible-request` if
 *   it has too few training images
 */
export type LoadStatistics = (model: LoadedModel, signal: AbortSignal) => Promise<ImageStatistics>;

export function createStatisticsCache(catalog: Catalog, numeric: NumericPool): LoadStatistics {
  const coalesce = createCoalescingCache<ImageStatistics>(MAX_CACHED);

  return async ({ reference, datasetId }, signal) => {
    const found = datasetId === null ? undefined : await catalog.find(datasetId);
    if (!found) {
      const what = datasetId === null ? 'an unknown data set' : `data set ${datasetId}`;
      throw undiagnosable(
        'unknown-dataset',
        `${reference.name}@${reference.version} was trained or evaluated on ${what}, but it is not available; ` +
          `existing data sets: ${listDatasetIds(catalog)}`,
      );
    }
    const { id, classNames, digest } = found;
    const { examples } = found.splits.train;
    if (examples < MIN_IMAGES) {
      throw undiagnosable(
        'impossible-request',
        `Data set ${id} has ${examples} training images; a diagnosis requires ${MIN_IMAGES}`,
      );
    }
    return coalesce(`${digest} ${classNames.length}`, signal, async (abortSignal) => {
      using _used = catalog.use(id);
      const dataset = await catalog.get(id);
      if (!dataset) throw undiagnosable('unknown-dataset', `Data set ${id} has just been deleted`);
      return await numeric.run(
        'measureImages',
        { examples: dataset.train, shape: dataset.imageShape, classes: classNames.length },
        abortSignal,
      );
    });
  };
}

function undiagnosable(code: 'unknown-dataset' | 'impossible-request', message: string): AtelierError {
  return new AtelierError(code, `${message}. Omit ?diagnose.`, {
    details: [{ parameter: 'diagnose', detail: 'is not available for this model' }],
  });
}
