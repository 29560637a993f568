import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  PREDICTION_JOB_ID,
  predictionFieldsSchema,
  predictionRequestSchema,
} from '../../../src/domain/predictions/job.ts';

test('the model of a form is a reference as text, or an object as JSON', () => {
  for (const [model, expected] of [
    ['digits@3', 'digits@3'],
    ['digits', 'digits'],
    ['{"name":"digits","version":3}', { name: 'digits', version: 3 }],
  ] as const) {
    assert.deepEqual(predictionFieldsSchema.parse({ model, coverage: '0.9' }), {
      model: predictionRequestSchema.shape.model.parse(expected),
      coverage: 0.9,
    });
  }
  for (const model of ['{"name":', '', undefined]) {
    assert.equal(predictionFieldsSchema.safeParse({ model }).success, false);
  }
});

test('a request is for the test images, and its coverage is within the limits', () => {
  const request = { model: 'digits@3', dataset: 'd' };
  assert.equal(predictionRequestSchema.parse(request).split, 'test');
  const isValid = (coverage: number) => predictionRequestSchema.safeParse({ ...request, coverage }).success;
  assert.deepEqual([0.5, 0.999].map(isValid), [true, true]);
  assert.deepEqual([0.49, 0.9991].map(isValid), [false, false]);
});

test('an id is prd_ and a ULID, whose first digit is at most 7', () => {
  const ulid = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
  assert.ok(PREDICTION_JOB_ID.test(`prd_${ulid}`));
  for (const wrong of [
    `job_${ulid}`,
    `prd_8${ulid.slice(1)}`,
    `prd_${ulid}0`,
    `prd_${ulid.replace('V', 'U')}`,
  ]) {
    assert.ok(!PREDICTION_JOB_ID.test(wrong), wrong);
  }
});
