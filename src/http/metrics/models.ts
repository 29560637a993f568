/** Metrics of the model cache. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ModelCacheCounts } from '../../services/models/cache.ts';

const COUNTERS = [
  ['hits', 'Lookups of a model that was in memory, or being read for another request.'],
  ['misses', 'Lookups of a model that had to be read.'],
  ['evictions', 'Models evicted from memory.'],
] as const satisfies readonly (readonly [keyof ModelCacheCounts, string])[];

const GAUGES = [
  ['models', 'Models in memory.'],
  ['bytes', 'Bytes of the models in memory: parameters and working memory.'],
] as const satisfies readonly (readonly [keyof ModelCacheCounts, string])[];

/** The cache keeps the counts; each scrape reads them. */
export function registerModelCacheMetrics(registry: Registry, counts: () => ModelCacheCounts): void {
  const registers = [registry];
  for (const [key, help] of COUNTERS) {
    new Counter({
      name: `atelier_model_cache_${key}_total`,
      help,
      registers,
      collect() {
        // A Counter has no set().
        this.reset();
        this.inc(counts()[key]);
      },
    });
  }
  for (const [key, help] of GAUGES) {
    new Gauge({
      name: `atelier_model_cache_${key}`,
      help,
      registers,
      collect() {
        this.set(counts()[key]);
      },
    });
  }
}
