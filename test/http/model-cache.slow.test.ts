import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Predictions } from '../../src/protocols/native/schema.ts';
import { openStore } from '../../src/store/sqlite/open.ts';
import { trained } from '../store/fixtures.ts';
import { startService, temporaryDirectory } from '../support/start-service.ts';
import { collect } from './metrics/samples.ts';

const file = { after };
const MODELS = 300;
const MAX_LOADED = 256;
const image = Buffer.alloc(784);
const nameOf = (n: number) => `model-${n}`;

/** Parameters with zero weights: for every image, one class has this logit and the others 0. */
function parametersOf(n: number): Uint8Array {
  const packed = new Float32Array(784 * 10 + 10);
  packed[7840 + (n % 10)] = logitOf(n);
  return new Uint8Array(packed.buffer);
}
const logitOf = (n: number) => 1 + n / 1024;

const STATE_DIR = await temporaryDirectory(file);
const store = await openStore(STATE_DIR);
for (let n = 0; n < MODELS; n++) {
  await store.blobs.putReferenced(parametersOf(n), (digest) =>
    store.models.publish({
      ...trained,
      name: nameOf(n),
      layerSizes: [784, 10],
      standardization: null,
      classNames: Array.from({ length: 10 }, (_, label) => `${label}`),
      digest,
      metadata: {},
      imported: { source: 'npz', fileDigest: digest, rounded: 0, assumed: [] },
    }),
  );
}
await store.close();
const { app } = await startService(file, { STATE_DIR });

async function predict(n: number): Promise<void> {
  const headers = { 'content-type': 'application/octet-stream' };
  const url = `/v1/models/${nameOf(n)}/predictions`;
  const response = await app.inject({ method: 'POST', url, headers, payload: image });
  assert.equal(response.statusCode, 200, response.body);
  const { model, predictions } = response.json<Predictions>();
  const [{ label, probability }] = predictions as [Predictions['predictions'][number]];
  assert.deepEqual([model.name, label], [nameOf(n), n % 10]);
  const expected = Math.exp(logitOf(n)) / (Math.exp(logitOf(n)) + 9);
  assert.ok(Math.abs(probability - expected) < 1e-6, `${probability} is not ${expected}`);
}

/** Counters at the previous call of `counted`, which returns the changes since then. */
let before = { hits: 0, misses: 0, evictions: 0 };
async function counted() {
  const value = await collect(app);
  const total = (name: string) => value(`atelier_model_cache_${name}_total{}`)!;
  const now = { hits: total('hits'), misses: total('misses'), evictions: total('evictions') };
  const change = {
    hits: now.hits - before.hits,
    misses: now.misses - before.misses,
    evictions: now.evictions - before.evictions,
  };
  before = now;
  return {
    ...change,
    models: value('atelier_model_cache_models{}'),
    bytes: value('atelier_model_cache_bytes{}')!,
  };
}

test('hundreds of models predict, with a limited number in memory', async () => {
  const { misses } = await counted();
  assert.equal(misses, 1, 'the start has loaded the newest model');
  for (let n = 0; n < MODELS; n++) await predict(n);
  const { bytes, ...first } = await counted();
  const evictions = 1 + MODELS - MAX_LOADED;
  assert.deepEqual(first, { hits: 0, misses: MODELS, evictions, models: MAX_LOADED });
  assert.ok(bytes > MAX_LOADED * parametersOf(0).byteLength && bytes <= 256 * 2 ** 20, `${bytes} bytes`);
  // The most recently used models are in memory; the first was evicted.
  for (let n = MODELS - 1; n >= MODELS - MAX_LOADED; n--) await predict(n);
  await predict(0);
  const { bytes: same, ...second } = await counted();
  assert.deepEqual(second, { hits: MAX_LOADED, misses: 1, evictions: 1, models: MAX_LOADED });
  assert.equal(same, bytes);
});

test('concurrent requests read a model once', async () => {
  await predict(1);
  await counted();
  await Promise.all(Array.from({ length: 40 }, () => predict(2)));
  const { hits, misses } = await counted();
  assert.deepEqual([hits, misses], [39, 1]);
});

test('concurrent requests for many models get the right predictions', async () => {
  await Promise.all(Array.from({ length: MODELS }, (_, n) => predict(n)));
});
