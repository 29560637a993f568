import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { registerModelCacheMetrics } from '../../../src/http/metrics/models.ts';
import { parseSamples } from './samples.ts';

test('the counts of the model cache are those of the last scrape', async () => {
  const registry = new Registry();
  let hits = 5;
  registerModelCacheMetrics(registry, () => ({ hits, misses: 4, evictions: 3, models: 2, bytes: 1000 }));
  const scrape = async () => Object.fromEntries(parseSamples(await registry.metrics()));
  const expected = {
    'atelier_model_cache_hits_total{}': 5,
    'atelier_model_cache_misses_total{}': 4,
    'atelier_model_cache_evictions_total{}': 3,
    'atelier_model_cache_models{}': 2,
    'atelier_model_cache_bytes{}': 1000,
  };
  assert.deepEqual(await scrape(), expected);
  hits = 7;
  assert.deepEqual(await scrape(), { ...expected, 'atelier_model_cache_hits_total{}': 7 });
});
