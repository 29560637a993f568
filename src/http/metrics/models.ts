/** Metrics of the model cache, which keeps the counts. */
import { Counter, type Registry } from 'prom-client';
import type { ModelCacheCounts } from '../../services/models/cache.ts';
import { gauge } from './instruments.ts';

const COUNTERS = [
  ['hits', 'Lookups of a model that was in memory, or being read for another request.'],
  ['misses', 'Lookups of a model that had to be read.'],
  ['evictions', 'Models evicted from memory.'],
] as const;

export function registerModelCacheMetrics(registry: Registry, counts: () => ModelCacheCounts): void {
  for (const [key, help] of COUNTERS) {
    new Counter({
      name: `atelier_model_cache_${key}_total`,
      help,
      registers: [registry],
      collect() {
        // A Counter has no set().
        this.reset();
        this.inc(counts()[key]);
      },
    });
  }
  gauge(registry, 'atelier_model_cache_models', 'Models in memory.', () => counts().models);
  const bytes = 'Bytes of the models in memory: parameters and working memory.';
  gauge(registry, 'atelier_model_cache_bytes', bytes, () => counts().bytes);
}
