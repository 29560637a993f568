/** Cache of the tensors of data sets. */

import type { Dataset, DatasetSummary } from '../domain/datasets/representation.ts';
import { bytesPerLabel } from '../numerics/examples/labels.ts';
import { valueCount } from '../numerics/network/image-shape.ts';
import { dropShared } from '../tuning/collect-garbage.ts';

export type Tensors = Pick<Dataset, 'train' | 'validation' | 'test'>;
export type LoadedTensors = Tensors & Pick<Dataset, 'learning'>;
export type LoadTensors = (dataset: DatasetSummary) => Promise<LoadedTensors>;

export type TensorCache = ReturnType<typeof createTensorCache>;

/**
 * While the total exceeds `maxBytes`, evicts the least recently used data set. Keeps the most recent one, and those that are
 * retained or in use: a job or request holds their tensors, so loading them again would store them twice.
 * @param options.admit called before a load that no user accounts for; throws if its bytes are not free
 */
export function createTensorCache(options: {
  load: LoadTensors;
  admit: (dataset: DatasetSummary) => void;
  maxBytes: number;
}) {
  const { load, admit, maxBytes } = options;
  /** Entries in order of last use, the oldest first. */
  const entries = new Map<string, { readonly tensors: Promise<LoadedTensors>; readonly bytes: number }>();
  const retained: string[] = [];
  const inUse: string[] = [];

  const total = (counts: (id: string) => boolean) =>
    entries.entries().reduce((sum, [id, { bytes }]) => (counts(id) ? sum + bytes : sum), 0);
  const isEvictable = (id: string) => !retained.includes(id);

  function remove(id: string): void {
    const entry = entries.get(id);
    if (entries.delete(id)) dropShared(entry!.bytes);
  }

  function hold(ids: string[], id: string): Disposable {
    ids.push(id);
    let held = true;
    return {
      [Symbol.dispose]() {
        if (held) ids.splice(ids.indexOf(id), 1);
        held = false;
      },
    };
  }

  function evict(bytes: number, kept: readonly string[] = []): void {
    let missing = bytes;
    for (const [id, entry] of [...entries]) {
      if (missing <= 0) return;
      if (kept.includes(id) || !isEvictable(id)) continue;
      remove(id);
      missing -= entry.bytes;
    }
  }

  function startLoad(dataset: DatasetSummary) {
    if (isEvictable(dataset.id)) admit(dataset);
    return { tensors: load(dataset), bytes: tensorBytes(dataset) };
  }

  return {
    /** Concurrent calls share one load. @throws the error of `load` or `admit`, without caching it */
    async get(dataset: DatasetSummary): Promise<LoadedTensors> {
      const { id } = dataset;
      const entry = entries.get(id) ?? startLoad(dataset);
      entries.delete(id);
      entries.set(id, entry);
      evict(total(() => true) - maxBytes, [id, ...inUse]);
      try {
        return await entry.tensors;
      } catch (error) {
        if (entries.get(id) === entry) entries.delete(id);
        throw error;
      }
    },
    remove,
    /** Keeps the data set in memory, once it is loaded, until disposal: its user accounts for its memory. */
    retain: (id: string) => hold(retained, id),
    /** Keeps the data set in memory until disposal, unless other work needs its memory. The cache accounts for it. */
    use: (id: string) => hold(inUse, id),
    /** Bytes of the data sets that no user retains. */
    bytes: () => total(isEvictable),
    /** Evicts the least recently used data sets that no user retains, until `bytes` are freed. */
    evict: (bytes: number) => evict(bytes),
  };
}

/** One byte per pixel, and those of the labels. Two bytes are copied from the file's. */
export function tensorBytes({ imageShape, classNames, splits }: DatasetSummary): number {
  const { train, validation, test } = splits;
  const examples = train.examples + (validation?.examples ?? 0) + test.examples;
  return examples * (valueCount(imageShape) + bytesPerLabel(classNames.length));
}
