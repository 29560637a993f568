/** Records the test splits of the built-in data sets. Those of uploaded ones are recorded with them. */
import type { Catalog } from '../../datasets/catalog.ts';
import { digestSplit } from '../../datasets/tensor-file.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import type { Store } from '../../store/persistent-state.ts';

export async function recordTestSplits({
  store: { looks },
  catalog,
  builtIn,
}: {
  store: Pick<Store, 'looks'>;
  catalog: Pick<Catalog, 'get'>;
  builtIn: readonly DatasetSummary[];
}): Promise<void> {
  for (const { id, digest: datasetDigest } of builtIn) {
    if (await looks.hasTestSplit(datasetDigest)) continue;
    const { test } = (await catalog.get(id))!;
    await looks.recordTestSplit({ datasetDigest, testDigest: digestSplit(test) });
  }
}
