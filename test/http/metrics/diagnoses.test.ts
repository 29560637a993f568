import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { measureDiagnoses } from '../../../src/http/metrics/diagnoses.ts';
import { parseSamples } from './samples.ts';

test('diagnosed images and their findings are counted', async () => {
  const registry = new Registry();
  const onDiagnosed = measureDiagnoses(registry);
  onDiagnosed({ images: 3, findings: { blank: 2, inverted: 1 } });
  onDiagnosed({ images: 1, findings: { blank: 1 } });
  const samples = parseSamples(await registry.metrics());
  const found = (code: string) => samples.get(`atelier_diagnosis_findings_total{finding="${code}"}`);
  assert.equal(samples.get('atelier_diagnosed_images_total{}'), 4);
  assert.deepEqual(['blank', 'inverted', 'transposed'].map(found), [3, 1, 0]);
});
