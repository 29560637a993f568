/** The data sets the service knows. */
import { type Dataset, type DatasetSummary, SPLITS } from '../domain/dataset.ts';

export interface Catalog {
  get(id: string): Dataset | undefined;
  list(): readonly Dataset[];
}

export function createCatalog(datasets: readonly Dataset[]): Catalog {
  const byId = new Map(datasets.map((dataset) => [dataset.id, dataset]));
  return { get: (id) => byId.get(id), list: () => datasets };
}

export function summarize(dataset: Dataset): DatasetSummary {
  const classes = dataset.classNames.length;
  const [train, test] = SPLITS.map((split) => {
    const { labels } = dataset[split];
    const examplesPerClass = new Array<number>(classes).fill(0);
    for (const label of labels) examplesPerClass[label]!++;
    return { examples: labels.length, examplesPerClass };
  });
  return {
    id: dataset.id,
    imageShape: [28, 28],
    classNames: [...dataset.classNames],
    splits: { train: train!, test: test! },
    digest: dataset.digest,
  };
}
