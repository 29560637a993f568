/** Which data sets' tensors are in memory. */
import type { Dataset, DatasetSummary } from '../domain/dataset.ts';

export type Tensors = Pick<Dataset, 'train' | 'test'>;
export type LoadTensors = (dataset: DatasetSummary) => Promise<Tensors>;

export interface TensorCache {
  /** Loads them once, however many ask meanwhile. @throws whatever `load` throws, and forgets it */
  get(dataset: DatasetSummary): Promise<Tensors>;
  remove(id: string): void;
}

/**
 * The one that was not asked for the longest time goes first, when all take more than `maxBytes`: never one in use, of
 * which a second copy would be loaded, nor the one that was asked for last.
 */
export function createTensorCache(options: {
  load: LoadTensors;
  inUse: () => Promise<ReadonlySet<string>>;
  maxBytes: number;
}): TensorCache {
  const { load, inUse, maxBytes } = options;
  /** In the order in which they were asked for. */
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

/** One byte a pixel and one a label. */
export function tensorBytes({ imageShape: [height, width], splits }: DatasetSummary): number {
  return (splits.train.examples + splits.test.examples) * (height * width + 1);
}
