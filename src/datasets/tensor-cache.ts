/** Cache of the tensors of data sets. */
import type { Dataset, DatasetSummary } from '../domain/dataset.ts';

export type Tensors = Pick<Dataset, 'train' | 'test'>;
export type LoadTensors = (dataset: DatasetSummary) => Promise<Tensors>;

export interface TensorCache {
  /** Concurrent calls share one load. @throws the error of `load`, which is not cached */
  get(dataset: DatasetSummary): Promise<Tensors>;
  remove(id: string): void;
}

/**
 * While the total exceeds `maxBytes`, evicts the least recently used data set. Keeps the most recent one, and those
 * in use: a job holds their tensors, so loading them again would store them twice.
 */
export function createTensorCache(options: {
  load: LoadTensors;
  inUse: () => Promise<ReadonlySet<string>>;
  maxBytes: number;
}): TensorCache {
  const { load, inUse, maxBytes } = options;
  /** Entries in order of last use, the oldest first. */
  const entries = new Map<string, { readonly tensors: Promise<Tensors>; readonly bytes: number }>();

  async function evictLeastRecentlyUsed(newest: string): Promise<void> {
    const total = () => entries.values().reduce((sum, { bytes }) => sum + bytes, 0);
    if (total() <= maxBytes) return;
    const kept = await inUse();
    for (const id of [...entries.keys()]) {
      if (total() <= maxBytes) return;
      if (id !== newest && !kept.has(id)) entries.delete(id);
    }
  }

  return {
    async get(dataset) {
      const { id } = dataset;
      const cached = entries.get(id);
      const entry = cached ?? { tensors: load(dataset), bytes: tensorBytes(dataset) };
      entries.delete(id);
      entries.set(id, entry);
      try {
        if (!cached) await evictLeastRecentlyUsed(id);
        return await entry.tensors;
      } catch (error) {
        if (entries.get(id) === entry) entries.delete(id);
        throw error;
      }
    },
    remove: (id) => void entries.delete(id),
  };
}

/** One byte per pixel and one per label. */
export function tensorBytes({ imageShape: [height, width], splits }: DatasetSummary): number {
  return (splits.train.examples + splits.test.examples) * (height * width + 1);
}
