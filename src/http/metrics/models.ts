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
  ['bytes', 'Bytes of the models in memory: parameters and buffers.'],
] as const satisfies readonly (readonly [keyof ModelCacheCounts, string])[];

/** The cache keeps the counts; each scrape reads them. */
export function measureModels(registry: Registry, counts: () => ModelCacheCounts): void {
  const registers = [registry];
  for (const [count, help] of COUNTERS) {
    new Counter({
      name: `atelier_model_cache_${count}_total`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(counts()[count]);
      },
    });
  }
  for (const [count, help] of GAUGES) {
    new Gauge({
      name: `atelier_model_cache_${count}`,
      help,
      registers,
      collect() {
        this.set(counts()[count]);
      },
    });
  }
}
