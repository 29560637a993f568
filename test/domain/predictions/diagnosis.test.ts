import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeDiagnosis,
  diagnosisSchema,
  FINDINGS,
  withJudgement,
} from '../../../src/domain/predictions/diagnosis.ts';
import type { Finding } from '../../../src/numerics/diagnosis/diagnose.ts';

const range = { low: 9.04, high: 19.5 };
const FOUND: Finding[] = [
  { code: 'blank', value: 3 },
  { code: 'unscaled', max: 1 },
  { code: 'inverted', gain: 812.4, usual: -3 },
  { code: 'transposed', gain: 40.2, usual: 12 },
  { code: 'off-centre', x: 21.26, y: 14, centre: { x: range, y: range } },
  { code: 'far-from-training-data', likelihood: -50.4, usual: 60 },
];

test('describes every finding with its figures and advice', () => {
  const { findings } = diagnosisSchema.parse(describeDiagnosis(FOUND));
  assert.deepEqual(
    findings.map(({ code }) => code),
    FINDINGS,
  );
  for (const { detail, advice } of findings) assert.match(`${detail} ${advice}`, /^[A-Z].*\..*[.?]$/);
  const details = findings.map(({ detail }) => detail);
  assert.match(details[2]!, /by 812; for training images it rarely rises by more than 0\./);
  assert.match(details[4]!, /column 21\.3 and row 14\.0; .* columns 9\.0 to 19\.5/);
  assert.match(details[5]!, /is -50, while training images are rarely below 60/);
});

test('advises to scale an unscaled image by its own white', () => {
  const [finding] = describeDiagnosis([{ code: 'unscaled', max: 16 }]).findings;
  assert.match(finding!.detail, /^No pixel is greater than 16 of 255/);
  assert.match(finding!.advice, /by 255 \/ 16\./);
});

test('advises to multiply the pixels by 255 if none is greater than 1', () => {
  const advice = (max: number) => describeDiagnosis([{ code: 'unscaled', max }]).findings[0]!.advice;
  assert.match(advice(1), /^Multiply the pixels by 255/);
  assert.match(advice(2), /^If white is less than 255/);
});

test('lists corrections with and without findings', () => {
  const corrected = [{ code: 'resized', detail: 'from 56×56 to 28×28' }] as const;
  assert.deepEqual(describeDiagnosis([], corrected), { findings: [], corrected: [...corrected] });
});

test('what a calibration has judged decides whether an image is far, unless another finding explains it', () => {
  const codes = (findings: readonly Finding[], isUnlike: boolean) =>
    diagnosisSchema
      .parse(withJudgement(describeDiagnosis(findings), isUnlike))
      .findings.map(({ code }) => code);
  const [inverted, far] = [FOUND[2]!, FOUND[5]!];
  assert.deepEqual(codes([], true), ['far-from-training-data']);
  assert.deepEqual(codes([], false), []);
  assert.deepEqual(codes([far], true), ['far-from-training-data']);
  assert.deepEqual(codes([far], false), []);
  assert.deepEqual(codes([inverted], true), ['inverted']);
});
