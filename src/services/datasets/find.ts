/** Finds the data set that a request body refers to. */
import { type Catalog, listDatasetIds } from '../../datasets/catalog.ts';
import type { Dataset } from '../../domain/datasets/representation.ts';
import { AtelierError } from '../../errors.ts';

/**
 * @param pointer JSON pointer to the id in the body
 * @param missingMessage the beginning of the error message if the data set does not exist, without a full stop
 * @throws AtelierError `unknown-dataset`, with a list of the existing data sets; `dataset-damaged`
 */
export async function findDataset(
  catalog: Catalog,
  id: string,
  pointer: string,
  missingMessage = `Data set ${id} does not exist`,
): Promise<Dataset> {
  const dataset = await catalog.get(id);
  if (dataset) return dataset;
  const isEmpty = catalog.list().length === 0;
  const detail = isEmpty
    ? 'must be uploaded first, with POST /v1/datasets: no data set exists'
    : `must be one of: ${listDatasetIds(catalog)}`;
  throw new AtelierError('unknown-dataset', `${missingMessage}; the data set ${detail}.`, {
    details: [{ pointer, detail }],
  });
}
