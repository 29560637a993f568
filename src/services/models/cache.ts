/** Cache of loaded models, and of the versions that names and aliases resolve to. */
import { LRUCache } from 'lru-cache';
import type { VersionName, VersionReference } from '../../domain/models/reference.ts';
import { forwardBytes } from '../../numerics/simd/kernel-forward.ts';
import { dropShared } from '../../tuning/collect-garbage.ts';
import { createEvictableCache } from '../memory/evictable-cache.ts';
import type { LoadedModel } from './loaded-version.ts';

/** Limit of cached models: each kernel reserves gigabytes of address space, although it uses little memory. */
export const MAX_LOADED = 256;
export const MAX_BYTES = 256 * 2 ** 20;

/** Limit of remembered names and aliases. */
const MAX_NAMES = 10_000;

interface CachedModel {
  readonly model: LoadedModel;
  /** The number of invalidations when the version was last known to exist. */
  checked: number;
}

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

export type ModelCache = ReturnType<typeof createModelCache>;

export function createModelCache({ maxBytes = MAX_BYTES, maxLoaded = MAX_LOADED } = {}) {
  const counts = { hits: 0, misses: 0, evictions: 0 };
  const loaded = createEvictableCache<CachedModel>({
    max: maxLoaded,
    maxBytes,
    bytesOf: ({ model }) => modelBytes(model),
    onRemoved({ model }, reason) {
      last = null;
      dropShared(model.parameters.byteLength);
      if (reason === 'evict') counts.evictions++;
    },
  });
  const reading = new Map<string, Promise<LoadedModel>>();
  /** Resolved version numbers, by name and alias. */
  const resolved = new LRUCache<string, { readonly version: number; readonly checked: number }>({
    max: MAX_NAMES,
  });
  /** The last result of `find`, returned again without a lookup by key, and the number of invalidations then. */
  let last: { name: string; version: VersionName | undefined; changes: number; model: LoadedModel } | null =
    null;
  /** Number of invalidations. */
  let changes = 0;
  /** The same number at the last invalidation of all names, of all versions, and of a model. */
  let namesChanged = 0;
  let versionsChanged = 0;
  const modelsChanged = new Map<string, number>();
  const isCurrent = (name: string, checked: number, changedAt: number) =>
    checked >= changedAt && checked >= (modelsChanged.get(name) ?? 0);

  function findNumber(name: string, version?: VersionName): number | undefined {
    if (typeof version === 'number') return version;
    const known = resolved.get(cacheKey(name, version));
    return known && isCurrent(name, known.checked, namesChanged) ? known.version : undefined;
  }

  return {
    find(name: string, version?: VersionName) {
      if (last === null || last.name !== name || last.version !== version || last.changes !== changes) {
        const number = findNumber(name, version);
        const cached = number === undefined ? undefined : loaded.get(cacheKey(name, number));
        if (!cached || !isCurrent(name, cached.checked, versionsChanged)) return undefined;
        last = { name, version, changes, model: cached.model };
      }
      counts.hits++;
      return last.model;
    },

    /** Like `find`, also if an invalidation has happened since. A deleted version is found until it is evicted. */
    findOutdated(name: string, version?: VersionName) {
      const number = typeof version === 'number' ? version : resolved.get(cacheKey(name, version))?.version;
      return number === undefined ? undefined : loaded.get(cacheKey(name, number))?.model;
    },

    /**
     * Call before resolving a name to a version.
     * @returns a function that reads the version, shared by concurrent callers. Its result is not cached if an invalidation
     *   happened since the call.
     */
    beginLookup(name: string, version?: VersionName) {
      const before = changes;
      return (found: VersionReference, read: () => Promise<LoadedModel>) => {
        const key = cacheKey(name, found.version);
        if (typeof version !== 'number' && changes === before) {
          resolved.set(cacheKey(name, version), { version: found.version, checked: changes });
        }
        const cached = loaded.get(key);
        if (cached) cached.checked = Math.max(cached.checked, before);
        const known = cached?.model ?? reading.get(key);
        if (known) {
          counts.hits++;
          return Promise.resolve(known);
        }
        counts.misses++;
        const model = read()
          .then((ready) => {
            if (changes === before) loaded.set(key, { model: ready, checked: before });
            return ready;
          })
          .finally(() => reading.delete(key));
        reading.set(key, model);
        return model;
      };
    },

    /** Invalidates name resolution, and removes deleted versions. */
    invalidate(gone: readonly VersionReference[]) {
      changes++;
      namesChanged = changes;
      for (const { name, version } of gone) loaded.delete(cacheKey(name, version));
    },

    /**
     * Another process has changed a model, or any: its names are resolved again, and its versions are looked up before they
     * are used again, because they may have been deleted.
     */
    doubt(name?: string) {
      changes++;
      if (name !== undefined && modelsChanged.size < MAX_NAMES) {
        modelsChanged.set(name, changes);
      } else {
        modelsChanged.clear();
        namesChanged = versionsChanged = changes;
      }
    },

    bytes: loaded.bytes,
    evict: loaded.evict,
    counts: () => ({ ...counts, models: loaded.size, bytes: loaded.bytes() }),
  };
}

function modelBytes({ parameters, architecture }: LoadedModel): number {
  return parameters.byteLength + forwardBytes(architecture);
}

/** Keys are unambiguous: an alias is neither a number nor empty. */
function cacheKey(name: string, version: VersionName = ''): string {
  return `${name}@${version}`;
}
