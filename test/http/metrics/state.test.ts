import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { measureState } from '../../../src/http/metrics/state.ts';
import { STATE_KINDS } from '../../../src/store/blobs/sizes.ts';
import { parseSamples } from './samples.ts';

const SPACE = { 'atelier_state_free_bytes{}': 5, 'atelier_state_capacity_bytes{}': 9 };

test('a scrape reads the disk once, and omits files that are not measured yet', async () => {
  const registry = new Registry();
  let used: Record<(typeof STATE_KINDS)[number], { bytes: number; count: number }> | null = null;
  let reads = 0;
  measureState(registry, async () => {
    reads++;
    return { free: 5, capacity: 9, used, measuredAt: null };
  });
  const scrape = async () => Object.fromEntries(parseSamples(await registry.metrics()));
  assert.deepEqual(await scrape(), SPACE);
  const size = { bytes: 0, count: 1 };
  used = {
    ...{ database: { bytes: 7, count: 1 }, models: size, checkpoints: size, datasets: size },
    ...{ predictions: size, reserve: size, cache: size, temporary: size, other: size },
  };
  const files = STATE_KINDS.map((kind) => [`atelier_state_bytes{kind="${kind}"}`, used![kind].bytes]);
  assert.deepEqual(await scrape(), { ...SPACE, ...Object.fromEntries(files) });
  assert.equal(reads, 2);
});
