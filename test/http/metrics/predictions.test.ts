import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { measurePredictions } from '../../../src/http/metrics/predictions.ts';
import { parseSamples } from './samples.ts';

const ms = { wait: 1, decode: 20, compute: 300, serialise: 4000 };

test('sums images, requests and phase durations by version', async () => {
  const registry = new Registry();
  const { onPredicted: predicted } = measurePredictions(registry);
  predicted({ name: 'a', version: 1 }, 5, ms);
  predicted({ name: 'a', version: 1 }, 1, ms);
  predicted({ name: 'a', version: 2 }, 7, ms);
  const samples = parseSamples(await registry.metrics());
  const of = (version: number) => `{model="a",version="${version}"}`;
  assert.equal(samples.get(`atelier_predictions_total${of(1)}`), 6);
  assert.equal(samples.get(`atelier_prediction_requests_total${of(1)}`), 2);
  assert.equal(samples.get(`atelier_predictions_total${of(2)}`), 7);
  for (const [phase, seconds] of Object.entries({ wait: 2e-3, decode: 0.04, compute: 0.6, serialise: 8 })) {
    const name = `atelier_prediction_duration_seconds_total{model="a",phase="${phase}",version="1"}`;
    assert.equal(samples.get(name), seconds);
  }
  assert.deepEqual(parseSamples(await registry.metrics()), samples, 'asking again changes nothing');
});

test('limits the number of version labels', async () => {
  const registry = new Registry();
  const { onPredicted: predicted } = measurePredictions(registry, 3);
  for (let version = 1; version <= 1000; version++) {
    predicted({ name: `m${version % 10}`, version }, 1, ms);
  }
  assert.deepEqual(await imagesOf(registry), [
    ['atelier_predictions_total{model="m1",version="1"}', 1],
    ['atelier_predictions_total{model="m2",version="2"}', 1],
    ['atelier_predictions_total{model="m3",version="3"}', 1],
    ['atelier_predictions_total{model="_further",version="_further"}', 997],
  ]);
});

const imagesOf = async (registry: Registry) =>
  [...parseSamples(await registry.metrics())].filter(([name]) =>
    name.startsWith('atelier_predictions_total'),
  );

test('counts checkpoints together, without displacing models', async () => {
  const registry = new Registry();
  const { onPredicted } = measurePredictions(registry, 1);
  for (let step = 1; step <= 10; step++) {
    onPredicted({ name: `job_0${String(step).padStart(25, '0')}`, version: step }, 1, ms);
  }
  onPredicted({ name: 'a', version: 1 }, 5, ms);
  assert.deepEqual(await imagesOf(registry), [
    ['atelier_predictions_total{model="_checkpoint",version=""}', 10],
    ['atelier_predictions_total{model="a",version="1"}', 5],
  ]);
});

test('removes deleted versions and frees their labels', async () => {
  const registry = new Registry();
  const { onPredicted, forget } = measurePredictions(registry, 1);
  onPredicted({ name: 'a', version: 1 }, 5, ms);
  forget([
    { name: 'a', version: 1 },
    { name: 'a', version: 2 },
  ]);
  assert.deepEqual(await imagesOf(registry), []);
  for (const name of ['b', 'c']) onPredicted({ name, version: 1 }, 7, ms);
  assert.deepEqual(await imagesOf(registry), [
    ['atelier_predictions_total{model="b",version="1"}', 7],
    ['atelier_predictions_total{model="_further",version="_further"}', 7],
  ]);
});
