/** Records the test splits of data sets that exist at the start: built-in ones, and those of earlier releases. */
import type { Catalog } from '../../datasets/catalog.ts';
import { digestSplit } from '../../datasets/tensor-file.ts';
import type { Dataset } from '../../domain/datasets/representation.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { DatasetPool } from '../../workers/pools.ts';

/**
 * Looks at a data set whose file cannot be read are counted by the data set alone, until a later start.
 * @param options.loads reads the files
 */
export async function recordTestSplits({
  store: { looks, datasets },
  catalog,
  builtIn,
  loads,
  log,
}: {
  store: Pick<Store, 'looks' | 'datasets'>;
  catalog: Pick<Catalog, 'list'>;
  builtIn: readonly Dataset[];
  loads: DatasetPool;
  log: { warn(fields: object, message: string): void };
}): Promise<void> {
  for (const dataset of catalog.list()) {
    const { id, digest: datasetDigest } = dataset;
    try {
      if (await looks.hasTestSplit(datasetDigest)) continue;
      const loaded = builtIn.find((each) => each.id === id);
      const testDigest = loaded
        ? digestSplit(loaded.test)
        : await datasets.withFile(dataset, (path) => loads.run('digestTestSplit', { path, dataset }));
      await looks.recordTestSplit({ datasetDigest, testDigest });
    } catch (err) {
      log.warn({ datasetId: id, err }, 'failed to read the test split of a data set');
    }
  }
}
