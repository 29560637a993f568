import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { CountedHistogram } from '../../../src/http/metrics/counted-histogram.ts';

test('each bucket counts its values and those of all before it', async () => {
  const registry = new Registry();
  const buckets = { labels: { route: '/a' }, counts: [2, 0, 3], sum: 7.5 };
  new CountedHistogram({ name: 'time', help: 'Time.', bounds: [0.5, 1] }, registry, () => [buckets]);
  assert.deepEqual((await registry.metrics()).trim().split('\n'), [
    '# HELP time Time.',
    '# TYPE time histogram',
    'time_bucket{route="/a",le="0.5"} 2',
    'time_bucket{route="/a",le="1"} 2',
    'time_bucket{route="/a",le="+Inf"} 5',
    'time_sum{route="/a"} 7.5',
    'time_count{route="/a"} 5',
  ]);
});
