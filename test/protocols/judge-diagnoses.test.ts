import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnosis } from '../../src/domain/predictions/diagnosis.ts';
import { DIAGNOSIS, judgeDiagnoses } from '../../src/protocols/judge-diagnoses.ts';

const diagnosis = (...codes: Diagnosis['findings'][number]['code'][]): Diagnosis => ({
  findings: codes.map((code) => ({ code, detail: '', advice: '' })),
  corrected: [],
});

test('an image is far from the training images if it is judged so, and nothing else explains it', () => {
  const far = 'far-from-training-data';
  const diagnoses = [diagnosis(), diagnosis(far), diagnosis('inverted'), diagnosis(far), diagnosis(far)];
  const unlike = 'unlike-training-images';
  const judgements = {
    sets: new Uint8Array(10),
    reasons: [unlike, unlike, unlike, 'no-class', null] as const,
    expectedUnsure: 0,
  };
  assert.deepEqual(
    judgeDiagnoses(diagnoses, { judgements }).map(({ findings }) => findings.map(({ code }) => code)),
    [[far], [far], ['inverted'], [], []],
  );
  assert.equal(judgeDiagnoses(diagnoses, {}), diagnoses);
});

test('1 % of the images like those of the calibration are far, by their plain probabilities', () => {
  assert.deepEqual(DIAGNOSIS, { coverage: 0.99, calibrated: false });
});
