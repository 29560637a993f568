/** Cache of loaded models, and of the versions that names and aliases resolve to. */
import { LRUCache } from 'lru-cache';
import type { VersionName, VersionReference } from '../domain/model-reference.ts';
import { forwardBytes } from '../numerics/simd/kernel-forward.ts';
import type { LoadedModel } from './loaded-model.ts';

/** The kernel's memory of each reserves gigabytes of addresses, though it takes few of bytes. */
export const MAX_LOADED = 256;
export const MAX_BYTES = 256 * 2 ** 20;

export interface ModelCacheCounts {
  /** Were in memory, or were being read already. */
  readonly hits: number;
  /** Had to be read. */
  readonly misses: number;
  /** Made way for others. */
  readonly evictions: number;
  readonly models: number;
  readonly bytes: number;
}

export interface ModelCache {
  find(name: string, version?: VersionName): LoadedModel | undefined;
  /**
   * To be called before it is looked up which version is meant.
   * @returns reads what was found, once, however many ask for it meanwhile. Nothing is remembered where something has
   *   changed since the call.
   */
  beginLookup(
    name: string,
    version?: VersionName,
  ): (found: VersionReference, read: () => Promise<LoadedModel>) => Promise<LoadedModel>;
  /** What names mean may have changed; and these are not to be found any more. */
  invalidate(gone: readonly VersionReference[]): void;
  counts(): ModelCacheCounts;
}

export function createModelCache({ maxBytes = MAX_BYTES, maxLoaded = MAX_LOADED } = {}): ModelCache {
  const counts = { hits: 0, misses: 0, evictions: 0 };
  const loaded = new LRUCache<string, LoadedModel>({
    max: maxLoaded,
    maxSize: maxBytes,
    // One that is larger than all that is allowed stays alone: to read it for every request would help nobody.
    sizeCalculation: (model) => Math.min(maxBytes, modelBytes(model)),
    dispose(_model, _key, reason) {
      if (reason === 'evict') counts.evictions++;
    },
  });
  const reading = new Map<string, Promise<LoadedModel>>();
  /** Numbers, by name and alias. */
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

    counts: () => ({ ...counts, models: loaded.size, bytes: loaded.calculatedSize }),
  };
}

function modelBytes({ parameters, layerSizes }: LoadedModel): number {
  return parameters.byteLength + forwardBytes(layerSizes);
}

/** No alias is a number, and none is empty. */
function cacheKey(name: string, version: VersionName = ''): string {
  return `${name}@${version}`;
}
