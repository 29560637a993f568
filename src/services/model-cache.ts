/** Cache of loaded models, and of the versions that names and aliases resolve to. */
import { LRUCache } from 'lru-cache';
import type { VersionName, VersionReference } from '../domain/model-reference.ts';
import { forwardBytes } from '../numerics/simd/kernel-forward.ts';
import type { LoadedModel } from './loaded-model.ts';

/** Limit of cached models: each kernel reserves gigabytes of address space, although it uses little memory. */
export const MAX_LOADED = 256;
export const MAX_BYTES = 256 * 2 ** 20;

export interface ModelCacheCounts {
  /** Requests for a model that is in memory or already being read. */
  readonly hits: number;
  /** Requests that had to read the model. */
  readonly misses: number;
  /** Models that were evicted. */
  readonly evictions: number;
  readonly models: number;
  readonly bytes: number;
}

export interface ModelCache {
  find(name: string, version?: VersionName): LoadedModel | undefined;
  /**
   * Call before resolving a name to a version.
   * @returns a function that reads the version, shared by concurrent callers. Its result is not cached if an invalidation
   *   happened since the call.
   */
  beginLookup(
    name: string,
    version?: VersionName,
  ): (found: VersionReference, read: () => Promise<LoadedModel>) => Promise<LoadedModel>;
  /** Invalidates name resolution, and removes deleted versions. */
  invalidate(gone: readonly VersionReference[]): void;
  counts(): ModelCacheCounts;
  /** Bytes of the cached models. */
  bytes(): number;
  /** Evicts the least recently used models, until `bytes` are freed. */
  evict(bytes: number): void;
}

export function createModelCache({ maxBytes = MAX_BYTES, maxLoaded = MAX_LOADED } = {}): ModelCache {
  const counts = { hits: 0, misses: 0, evictions: 0 };
  const loaded = new LRUCache<string, LoadedModel>({
    max: maxLoaded,
    maxSize: maxBytes,
    // A single model above the limit stays, because reading it for every request would be worse.
    sizeCalculation: (model) => Math.min(maxBytes, modelBytes(model)),
    dispose(_model, _key, reason) {
      if (reason === 'evict') counts.evictions++;
    },
  });
  const reading = new Map<string, Promise<LoadedModel>>();
  /** Resolved version numbers, by name and alias. */
  const resolved = new Map<string, number>();
  let changes = 0;

  return {
    find(name, version) {
      const number = typeof version === 'number' ? version : resolved.get(cacheKey(name, version));
      const model = number === undefined ? undefined : loaded.get(cacheKey(name, number));
      if (model) counts.hits++;
      return model;
    },

    beginLookup(name, version) {
      const before = changes;
      return (found, read) => {
        const key = cacheKey(name, found.version);
        if (changes === before && typeof version !== 'number')
          resolved.set(cacheKey(name, version), found.version);
        const known = loaded.get(key) ?? reading.get(key);
        if (known) {
          counts.hits++;
          return Promise.resolve(known);
        }
        counts.misses++;
        const model = read()
          .then((ready) => {
            if (changes === before) loaded.set(key, ready);
            return ready;
          })
          .finally(() => reading.delete(key));
        reading.set(key, model);
        return model;
      };
    },

    invalidate(gone) {
      changes++;
      resolved.clear();
      for (const { name, version } of gone) loaded.delete(cacheKey(name, version));
    },

    bytes: () => loaded.calculatedSize,
    evict(bytes) {
      const target = loaded.calculatedSize - bytes;
      while (loaded.size > 0 && loaded.calculatedSize > target) loaded.pop();
    },
    counts: () => ({ ...counts, models: loaded.size, bytes: loaded.calculatedSize }),
  };
}

function modelBytes({ parameters, layerSizes }: LoadedModel): number {
  return parameters.byteLength + forwardBytes(layerSizes);
}

/** Keys are unambiguous: an alias is neither a number nor empty. */
function cacheKey(name: string, version: VersionName = ''): string {
  return `${name}@${version}`;
}
