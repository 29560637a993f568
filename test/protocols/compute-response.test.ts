import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import type { Diagnosis } from '../../src/domain/predictions/diagnosis.ts';
import type { Decoded, Outputs } from '../../src/protocols/codec.ts';
import { computeResponse } from '../../src/protocols/compute-response.ts';
import { CALIBRATION, forward, MODEL, PIXELS } from './fixtures.ts';

const FAR = { code: 'far-from-training-data', detail: '', advice: '' } as const;
const far: Diagnosis = { findings: [FAR], corrected: [] };

/** The response, and the outputs that its codec receives. */
function respond(request: Partial<Decoded<string>>, calibration: typeof CALIBRATION | null = CALIBRATION) {
  const encoded: Outputs[] = [];
  const codec = {
    encode(outputs: Outputs, format: string) {
      encoded.push(outputs);
      return { body: format, jsonBytes: null };
    },
  };
  const decoded = { batch: { count: 2, pixels: PIXELS }, responseFormat: 'f', ...request };
  const startedAt = performance.now();
  const result = computeResponse(codec, decoded, forward, MODEL, startedAt, calibration);
  return { ...result, outputs: encoded[0]!, total: performance.now() - startedAt };
}

test('a response without a guarantee has neither a calibration nor diagnoses', () => {
  const { response, outputs, tally } = respond({});
  assert.deepEqual(response, { body: 'f', jsonBytes: null });
  assert.deepEqual(Object.keys(outputs).toSorted(), ['diagnoses', 'logits', 'probabilities']);
  assert.deepEqual([outputs.diagnoses, tally.classes], [null, [2, 0]]);
  assert.deepEqual([tally.diagnosed, tally.judged], [null, null]);
});

test('a response with a coverage has its judgements, and counts them', () => {
  const { outputs, tally } = respond({ guarantee: { coverage: 0.5, calibrated: false } });
  assert.equal(outputs.calibration, CALIBRATION.used);
  assert.deepEqual(outputs.judgements!.reasons, [null, 'no-class']);
  assert.deepEqual(
    [tally.judged!.counts.sure, tally.judged!.counts['no-class'], tally.diagnosed],
    [1, 1, null],
  );
  const calibrated = respond({ guarantee: { coverage: null, calibrated: true } });
  assert.deepEqual([calibrated.outputs.judgements, calibrated.tally.judged], [undefined, null]);
  assert.ok(Math.abs(calibrated.outputs.probabilities[0]! - 0.75) < 1e-6);
});

test('a diagnosis uses the calibration without showing it', () => {
  const { outputs, tally } = respond({ diagnoses: [far, far] });
  assert.deepEqual(
    outputs.diagnoses!.map(({ findings }) => findings.length),
    [0, 0],
  );
  assert.deepEqual([outputs.judgements, outputs.calibration, tally.judged], [undefined, undefined, null]);
  assert.deepEqual(tally.diagnosed, { images: 2, findings: {} });
  const blank = respond({ diagnoses: [far], batch: { count: 1, pixels: new Uint8Array(4) } });
  assert.deepEqual(blank.tally.diagnosed, { images: 1, findings: { 'far-from-training-data': 1 } });
  assert.deepEqual(respond({ diagnoses: [far, far] }, null).outputs.diagnoses, [far, far]);
});

test('a diagnosis judges with the coverage of the request', () => {
  const { outputs } = respond({ diagnoses: [far, far], guarantee: { coverage: 0.5, calibrated: true } });
  assert.deepEqual(outputs.judgements!.sets, Uint8Array.of(1, 0, 0, 0));
  assert.ok(Math.abs(outputs.probabilities[0]! - 0.75) < 1e-6);
});

test('the phases are parts of the whole time', () => {
  const { compute, serialise, total } = respond({});
  assert.ok(compute >= 0 && serialise >= 0);
  assert.ok(compute <= total && serialise <= total);
});
