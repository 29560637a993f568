import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { measureReplicas, type ReplicaSource } from '../../../src/http/metrics/replicas.ts';
import { parseSamples } from './samples.ts';

async function scrape(source: ReplicaSource) {
  const registry = new Registry();
  measureReplicas(registry, source);
  const samples = parseSamples(await registry.metrics());
  const modes = ['local', 'listening', 'polling'].map((mode) =>
    samples.get(`atelier_notices{mode="${mode}"}`),
  );
  return [samples.get('atelier_replicas{}'), ...modes];
}

test('exactly one way of learning of changes is in use', async () => {
  assert.deepEqual(await scrape({}), [1, 1, 0, 0]);
  assert.deepEqual(await scrape({ replicas: () => 3, noticeMode: () => 'polling' }), [3, 0, 0, 1]);
});
