/** Data sets that a request body refers to. */
import type { Catalog } from '../datasets/catalog.ts';
import type { Dataset } from '../domain/dataset.ts';
import { AtelierError } from '../errors.ts';

/** @throws AtelierError `unknown-dataset`, naming those that there are */
export function findDataset(catalog: Catalog, id: string, pointer: string): Dataset {
  const dataset = catalog.get(id);
  if (dataset) return dataset;
  const known = catalog.list().map((entry) => entry.id);
  const detail = `must be one of: ${known.join(', ')}`;
  throw new AtelierError('unknown-dataset', `There is no data set ${id}; it ${detail}.`, {
    details: [{ pointer, detail }],
  });
}
