/** Data sets that a request body refers to. */
import { type Catalog, listDatasetIds } from '../datasets/catalog.ts';
import type { Dataset } from '../domain/dataset.ts';
import { AtelierError } from '../errors.ts';

/**
 * @param missing what to say where it is not there
 * @throws AtelierError `unknown-dataset`, naming some that there are; `dataset-damaged`
 */
export async function findDataset(
  catalog: Catalog,
  id: string,
  pointer: string,
  missing = `There is no data set ${id}`,
): Promise<Dataset> {
  const dataset = await catalog.get(id);
  if (dataset) return dataset;
  const detail = `must be one of: ${listDatasetIds(catalog)}`;
  throw new AtelierError('unknown-dataset', `${missing}; it ${detail}.`, {
    details: [{ pointer, detail }],
  });
}
