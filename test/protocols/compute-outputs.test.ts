import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeOutputs, outputBuffers } from '../../src/protocols/compute-outputs.ts';
import { CALIBRATION, forward, MODEL, PIXELS } from './fixtures.ts';

const batch = { count: 2, pixels: PIXELS };
const compute = (coverage: number | null, calibrated: boolean) =>
  computeOutputs(batch, forward, MODEL, { coverage, calibrated }, CALIBRATION);
const near = (found: Float32Array, expected: readonly number[]) => {
  assert.deepEqual(
    Array.from(found, (value) => Number(value.toFixed(6))),
    expected,
  );
};

test('the outputs without a guarantee or a calibration are those of the network', () => {
  const outputs = computeOutputs(batch, forward, MODEL, null, CALIBRATION);
  assert.deepEqual(Object.keys(outputs).toSorted(), ['logits', 'probabilities']);
  near(outputs.probabilities, [0.9, 0.1, 0.5, 0.5]);
  near(outputs.logits, [2.197225, 0, 0, 0]);
  const guarantee = { coverage: 0.5, calibrated: true };
  assert.deepEqual(computeOutputs(batch, forward, MODEL, guarantee, null), outputs);
});

test('a temperature changes the probabilities, but not the sets of classes', () => {
  const [plain, tempered] = [compute(0.5, false), compute(0.5, true)];
  near(plain.probabilities, [0.9, 0.1, 0.5, 0.5]);
  near(tempered.probabilities, [0.75, 0.25, 0.5, 0.5]);
  for (const { calibration, judgements, logits } of [plain, tempered]) {
    assert.equal(calibration, CALIBRATION.used);
    near(logits, [2.197225, 0, 0, 0]);
    assert.deepEqual(judgements!.sets, Uint8Array.of(1, 0, 0, 0));
    assert.deepEqual(judgements!.reasons, [null, 'no-class']);
  }
});

test('images are judged with a coverage only', () => {
  const outputs = compute(null, true);
  assert.equal(outputs.judgements, undefined);
  assert.deepEqual(outputBuffers(outputs), [outputs.probabilities, outputs.logits]);
  const judged = compute(0.5, true);
  assert.deepEqual(outputBuffers(judged), [judged.probabilities, judged.logits, judged.judgements!.sets]);
});
