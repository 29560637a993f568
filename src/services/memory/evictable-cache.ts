/** Caches limited by the bytes of their entries, which give way to reservations of the memory ledger. */
import { LRUCache } from 'lru-cache';
import type { EvictableCache } from './ledger.ts';

/**
 * Evicts the least recently used entries beyond `maxBytes`, or beyond `max` entries.
 * @param options.bytesOf positive bytes of an entry
 * @param options.onRemoved called when an entry is evicted, deleted or replaced
 */
export function createEvictableCache<T extends object>(options: {
  readonly maxBytes: number;
  readonly bytesOf: (entry: T) => number;
  readonly max?: number;
  readonly onRemoved?: (entry: T, reason: LRUCache.DisposeReason) => void;
}): LRUCache<string, T> & EvictableCache {
  const { maxBytes, bytesOf, max = 0, onRemoved } = options;
  const cache = new LRUCache<string, T>({
    max,
    maxSize: maxBytes,
    // A single entry above the limit stays, because reading it for every request would be worse.
    sizeCalculation: (entry) => Math.min(maxBytes, bytesOf(entry)),
    dispose: (entry, _key, reason) => onRemoved?.(entry, reason),
  });
  return Object.assign(cache, {
    bytes: () => cache.calculatedSize,
    evict(bytes: number) {
      const target = cache.calculatedSize - bytes;
      while (cache.size > 0 && cache.calculatedSize > target) cache.pop();
    },
  });
}
