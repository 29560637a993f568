/** Catalogue of the data sets: summaries in memory, tensors loaded on demand. */
import type { Dataset, DatasetSummary } from '../domain/datasets/representation.ts';
import type { Labels } from '../numerics/examples/labels.ts';
import {
  createTensorCache,
  type LoadTensors,
  type TensorCache,
  type Tensors,
  tensorBytes,
} from './tensor-cache.ts';

export type Catalog = ReturnType<typeof createCatalog>;

export interface CatalogOptions {
  /** Data sets that cannot be removed. */
  readonly builtIn?: readonly DatasetSummary[];
  /** Uploaded data sets, newest first. */
  readonly uploaded: readonly DatasetSummary[];
  /** Lists the uploaded data sets again; omitted if no other process changes them. */
  readonly list?: (() => Promise<readonly DatasetSummary[]>) | undefined;
  readonly load: LoadTensors;
  /** Called before a load that no user accounts for; throws if its memory is not free. */
  readonly admit: (dataset: DatasetSummary) => void;
  /** Memory limit for the tensors; retained data sets may exceed it. */
  readonly maxBytes: number;
}

const MAX_LISTED = 10;

export function createCatalog(options: CatalogOptions) {
  const { builtIn = [], uploaded } = options;
  const tensors = createTensorCache(options);
  let summaries = [...uploaded, ...builtIn];
  const summary = (id: string): DatasetSummary | undefined => summaries.find((dataset) => dataset.id === id);

  async function list(): Promise<void> {
    if (!options.list) return;
    const listed = await options.list();
    const before = summaries;
    summaries = [...listed, ...builtIn];
    for (const { id } of before) if (!summary(id)) tensors.remove(id);
  }

  /** A listing that runs may miss the latest change, so it is followed by one more. Later calls share it. */
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  function refresh(): Promise<void> {
    next ??= running
      .catch(() => {})
      .then(() => {
        running = next!;
        next = undefined;
        return list();
      });
    return next;
  }

  async function find(id: string): Promise<DatasetSummary | undefined> {
    if (summary(id) === undefined) await refresh();
    return summary(id);
  }

  return {
    summary,
    /** Like `summary`, but lists the uploaded data sets again for an unknown id: another process may have added it. */
    find,
    /** Lists the uploaded data sets again. Call it when another process has added or removed one. */
    refresh,
    /** Bytes that the tensors take when they are loaded; 0 if the data set does not exist. */
    loadedBytes(id: string): number {
      const found = summary(id);
      return found ? tensorBytes(found) : 0;
    },
    /** Memory of loaded data sets that can be freed. */
    cache: tensors as Pick<TensorCache, 'bytes' | 'evict'>,
    retain: tensors.retain,
    use: tensors.use,
    /** Newest first; built-in data sets come last. */
    list: (): readonly DatasetSummary[] => summaries,
    /**
     * Returns the data set with its tensors in shared memory, or undefined if it does not exist.
     * @throws AtelierError `dataset-damaged`; `overloaded` or `impossible-request` if its memory is not free
     */
    async get(id: string): Promise<Dataset | undefined> {
      const found = await find(id);
      if (!found) return undefined;
      const { imageShape, classNames, digest } = found;
      try {
        return { id, imageShape, classNames, digest, ...(await tensors.get(found)) };
      } catch (error) {
        // The file is gone because the data set has been deleted.
        if (!summary(id)) return undefined;
        throw error;
      }
    },
    add(dataset: DatasetSummary): void {
      summaries = [dataset, ...summaries.filter(({ id }) => id !== dataset.id)];
    },
    remove(id: string): void {
      summaries = summaries.filter((dataset) => dataset.id !== id);
      tensors.remove(id);
    },
  };
}

/** Ids for an error message, or `none`. If there are more than ten: the first eight, an ellipsis and the last. */
export function listDatasetIds(catalog: Catalog): string {
  const ids = catalog.list().map(({ id }) => id);
  if (ids.length === 0) return 'none';
  if (ids.length <= MAX_LISTED) return ids.join(', ');
  return [...ids.slice(0, MAX_LISTED - 2), '…', ids.at(-1)].join(', ');
}

/** Summary of a data set that was not uploaded. */
export function summarize(dataset: Dataset): DatasetSummary {
  const { id, imageShape, classNames, digest } = dataset;
  return {
    id,
    name: null,
    createdAt: null,
    imageShape: [...imageShape],
    classNames: [...classNames],
    splits: countSplits(dataset, classNames.length),
    digest,
    preprocessing: null,
    report: null,
  };
}

export function countSplits({ train, validation, test }: Tensors, classes: number): DatasetSummary['splits'] {
  return {
    train: countExamples(train.labels, classes),
    ...(validation && { validation: countExamples(validation.labels, classes) }),
    test: countExamples(test.labels, classes),
  };
}

export function countExamples(
  labels: Labels | readonly number[],
  classes: number,
): DatasetSummary['splits']['train'] {
  const examplesPerClass = new Array<number>(classes).fill(0);
  for (const label of labels) examplesPerClass[label]!++;
  return { examples: labels.length, examplesPerClass };
}
