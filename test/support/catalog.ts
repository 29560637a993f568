import { type Catalog, createCatalog, summarize } from '../../src/datasets/catalog.ts';
import type { Dataset } from '../../src/domain/datasets/representation.ts';

/** A catalogue of data sets whose tensors are at hand. */
export const catalogOf = (...datasets: readonly Dataset[]): Catalog =>
  createCatalog({
    builtIn: datasets.map(summarize),
    uploaded: [],
    load: async ({ id }) => datasets.find((dataset) => dataset.id === id)!,
    admit() {},
    maxBytes: Number.POSITIVE_INFINITY,
  });
