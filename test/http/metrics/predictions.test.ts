import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { measureDiagnoses } from '../../../src/http/metrics/diagnoses.ts';
import { measurePredictions } from '../../../src/http/metrics/predictions.ts';
import { tallyPredictions } from '../../../src/protocols/prediction-tally.ts';
import { parseSamples } from './samples.ts';

const ms = { wait: 1, decode: 20, compute: 300, serialise: 4000 };
/** A batch of three classes: class 2 twice, class 0 once, and an image whose logits overflow. */
const tally = tallyPredictions(
  Float32Array.of(0.25, 0.25, 0.5, 0, 0, 1, 0.625, 0.25, 0.125, Number.NaN, Number.NaN, Number.NaN),
  3,
);

test('sums images, requests and phase durations by version', async () => {
  const registry = new Registry();
  const { onPredicted: predicted } = measurePredictions(registry, measureDiagnoses(registry));
  predicted({ name: 'a', version: 1 }, 5, ms, tally);
  predicted({ name: 'a', version: 1 }, 1, ms, tally);
  predicted({ name: 'a', version: 2 }, 7, ms, tally);
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

test('counts predicted classes and a histogram of the highest probability, without undefined ones', async () => {
  const registry = new Registry();
  const { onPredicted } = measurePredictions(registry, measureDiagnoses(registry));
  for (let n = 0; n < 2; n++) onPredicted({ name: 'a', version: 1 }, 4, ms, tally);
  const text = await registry.metrics();
  const samples = parseSamples(text);
  const byClass = [0, 1, 2].map((k) =>
    samples.get(`atelier_predictions_by_class_total{class="${k}",model="a",version="1"}`),
  );
  assert.deepEqual(byClass, [2, 0, 4]);
  const bucket = (le: string) =>
    samples.get(`atelier_prediction_top_probability_bucket{le="${le}",model="a",version="1"}`);
  assert.deepEqual(['0.3', '0.5', '0.7', '0.999', '+Inf'].map(bucket), [0, 2, 4, 4, 6]);
  assert.equal(samples.get('atelier_prediction_top_probability_count{model="a",version="1"}'), 6);
  assert.equal(samples.get('atelier_prediction_top_probability_sum{model="a",version="1"}'), 4.25);
  assert.match(text, /^# TYPE atelier_prediction_top_probability histogram$/m);
});

test('counts the findings of diagnosed images', async () => {
  const registry = new Registry();
  const { onPredicted } = measurePredictions(registry, measureDiagnoses(registry));
  const found = (code: 'blank' | 'inverted') => ({ code, detail: '', advice: '' });
  const diagnoses = [
    { findings: [found('inverted')], corrected: [] },
    { findings: [], corrected: [] },
    { findings: [found('inverted'), found('blank')], corrected: [] },
  ];
  const diagnosed = tallyPredictions(Float32Array.of(1, 0, 1, 0, 1, 0), 2, diagnoses);
  onPredicted({ name: 'a', version: 1 }, 3, ms, diagnosed);
  const samples = parseSamples(await registry.metrics());
  assert.equal(samples.get('atelier_diagnosed_images_total{}'), 3);
  const finding = (code: string) => samples.get(`atelier_diagnosis_findings_total{finding="${code}"}`);
  assert.deepEqual(['inverted', 'blank', 'off-centre'].map(finding), [2, 1, 0]);
});

test('counts judgements of requests and of prediction jobs, and the unsure images that were to be expected', async () => {
  const registry = new Registry();
  const { onPredicted, onJudged } = measurePredictions(registry, () => {});
  const counts = { sure: 3, 'several-classes': 2, 'no-class': 0, 'unlike-training-images': 1 };
  const judged = { counts, expectedUnsure: 1.5 };
  onPredicted({ name: 'a', version: 1 }, 4, ms, tally);
  assert.deepEqual(await samplesOf(registry, 'atelier_judged'), [], 'none had a coverage');
  onPredicted({ name: 'a', version: 1 }, 6, ms, { ...tally, judged });
  onJudged({ name: 'a', version: 1 }, 3, judged);
  onJudged({ name: 'b', version: 2 }, 3, judged);
  const samples = parseSamples(await registry.metrics());
  const judgements = ['sure', 'several-classes', 'no-class', 'unlike-training-images'].map((judgement) =>
    samples.get(`atelier_judged_predictions_total{judgement="${judgement}",model="a",version="1"}`),
  );
  assert.deepEqual(judgements, [6, 4, 0, 2]);
  const expected = 'atelier_expected_unsure_predictions_total';
  assert.equal(samples.get(`${expected}{model="a",version="1"}`), 3);
  assert.equal(samples.get(`${expected}{model="b",version="2"}`), 1.5);
  assert.equal(samples.get('atelier_predictions_total{model="b",version="2"}'), 0);
});

test('limits the number of version labels', async () => {
  const registry = new Registry();
  const { onPredicted: predicted } = measurePredictions(registry, () => {}, { maxVersions: 3 });
  for (let version = 1; version <= 1000; version++) {
    predicted({ name: `m${version % 10}`, version }, 1, ms, tally);
  }
  assert.deepEqual(await imagesOf(registry), [
    ['atelier_predictions_total{model="m1",version="1"}', 1],
    ['atelier_predictions_total{model="m2",version="2"}', 1],
    ['atelier_predictions_total{model="m3",version="3"}', 1],
    ['atelier_predictions_total{model="_further",version="_further"}', 997],
  ]);
});

test('limits the number of class labels, and a deleted version frees its labels', async () => {
  const registry = new Registry();
  const { onPredicted, forget } = measurePredictions(registry, () => {}, { maxClasses: 4 });
  for (const name of ['a', 'b']) onPredicted({ name, version: 1 }, 4, ms, tally);
  const byClass = 'atelier_predictions_by_class_total';
  const ofB = ['0', '_further'].map((k) => `${byClass}{class="${k}",model="b",version="1"}`);
  assert.deepEqual((await samplesOf(registry, byClass)).slice(3), [
    [ofB[0], 1],
    [ofB[1], 2],
  ]);
  for (const name of ['a', 'b']) forget([{ name, version: 1 }]);
  onPredicted({ name: 'b', version: 1 }, 4, ms, tally);
  const labels = (await samplesOf(registry, byClass)).map(([, images]) => images);
  assert.deepEqual(labels, [1, 0, 2]);
});

const samplesOf = async (registry: Registry, name: string) =>
  [...parseSamples(await registry.metrics())].filter(([sample]) => sample.startsWith(name));
const imagesOf = (registry: Registry) => samplesOf(registry, 'atelier_predictions_total');

test('counts checkpoints together, without displacing models', async () => {
  const registry = new Registry();
  const { onPredicted } = measurePredictions(registry, () => {}, { maxVersions: 1 });
  for (let step = 1; step <= 10; step++) {
    onPredicted({ name: `job_0${String(step).padStart(25, '0')}`, version: step }, 1, ms, tally);
  }
  onPredicted({ name: 'a', version: 1 }, 5, ms, tally);
  assert.deepEqual(await imagesOf(registry), [
    ['atelier_predictions_total{model="_checkpoint",version=""}', 10],
    ['atelier_predictions_total{model="a",version="1"}', 5],
  ]);
});

test('removes deleted versions and frees their labels', async () => {
  const registry = new Registry();
  const { onPredicted, forget } = measurePredictions(registry, () => {}, { maxVersions: 1 });
  onPredicted({ name: 'a', version: 1 }, 5, ms, tally);
  forget([
    { name: 'a', version: 1 },
    { name: 'a', version: 2 },
  ]);
  assert.deepEqual(await imagesOf(registry), []);
  for (const name of ['b', 'c']) onPredicted({ name, version: 1 }, 7, ms, tally);
  assert.deepEqual(await imagesOf(registry), [
    ['atelier_predictions_total{model="b",version="1"}', 7],
    ['atelier_predictions_total{model="_further",version="_further"}', 7],
  ]);
});
