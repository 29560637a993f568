/** Image statistics of the data sets that models were trained on, computed once per data set. */
import { type Catalog, listDatasetIds } from '../datasets/catalog.ts';
import { AtelierError } from '../errors.ts';
import type { ImageStatistics } from '../numerics/diagnosis/image-statistics.ts';
import type { Pool } from '../workers/pool.ts';
import type { NumericTasks } from '../workers/tasks.ts';
import { createCoalescingCache } from './coalesce.ts';
import type { LoadedModel } from './loaded-model.ts';

/** Of data sets; 10 kilobytes a class each. */
const MAX_CACHED = 16;
/** What is rare among fewer cannot be told. */
const MIN_IMAGES = 100;

/**
 * Takes about a second the first time, in a thread.
 * @throws AtelierError `unknown-dataset` where what the model was trained on is not known or not here, `impossible-request`
 *   where it is too small
 */
export type LoadStatistics = (model: LoadedModel, signal: AbortSignal) => Promise<ImageStatistics>;

export function createStatisticsCache(catalog: Catalog, numeric: Pool<NumericTasks>): LoadStatistics {
  const coalesce = createCoalescingCache<ImageStatistics>(MAX_CACHED);

  return async ({ reference, datasetId }, signal) => {
    const found = datasetId === null ? undefined : catalog.summary(datasetId);
    if (!found) {
      const what = datasetId === null ? 'a data set that it does not tell' : `data set ${datasetId}`;
      throw undiagnosable(
        'unknown-dataset',
        `${reference.name}@${reference.version} was trained on ${what}, which is not here to compare with; ` +
          `there are: ${listDatasetIds(catalog)}`,
      );
    }
    const { id, classNames, digest } = found;
    const { examples } = found.splits.train;
    if (examples < MIN_IMAGES) {
      throw undiagnosable(
        'impossible-request',
        `Data set ${id} has ${examples} training images; to say what is unusual takes ${MIN_IMAGES}`,
      );
    }
    return coalesce(`${digest} ${classNames.length}`, signal, async (unwanted) => {
      const dataset = await catalog.get(id);
      if (!dataset) throw undiagnosable('unknown-dataset', `Data set ${id} has just been deleted`);
      return numeric.run('measureImages', { examples: dataset.train, classes: classNames.length }, unwanted);
    });
  };
}

function undiagnosable(code: 'unknown-dataset' | 'impossible-request', message: string): AtelierError {
  return new AtelierError(code, `${message}. Leave ?diagnose out.`, {
    details: [{ parameter: 'diagnose', detail: 'cannot be done with this model' }],
  });
}
