import { type Catalog, createCatalog, summarize } from '../../src/datasets/catalog.ts';
import type { Dataset } from '../../src/domain/datasets/representation.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../src/numerics/network/image-shape.ts';

/** A catalogue of data sets whose tensors are at hand. */
export const catalogOf = (...datasets: readonly Dataset[]): Catalog =>
  createCatalog({
    builtIn: datasets.map(summarize),
    uploaded: [],
    load: async ({ id }) => datasets.find((dataset) => dataset.id === id)!,
    admit() {},
    maxBytes: Number.POSITIVE_INFINITY,
  });

const none = { pixels: new Uint8Array(0), labels: new Uint8Array(0) };
/** Fashion-MNIST for tests that need its shape and number of classes only. */
export const WITHOUT_IMAGES: Dataset = {
  id: 'fashion-mnist',
  imageShape: DEFAULT_IMAGE_SHAPE,
  classNames: Array.from({ length: 10 }, (_, label) => `${label}`),
  digest: '',
  train: none,
  validation: null,
  learning: none,
  test: none,
};
