import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  calibrationRequestSchema,
  calibrationSchema,
  coverageSchema,
  usedCalibrationSchema,
} from '../../../src/domain/models/calibration.ts';

test('a coverage of a query is a decimal number from 0.5 to 0.999', () => {
  assert.deepEqual(
    ['0.5', '0.999'].map((text) => coverageSchema.parse(text)),
    [0.5, 0.999],
  );
  for (const wrong of ['0.49', '0.9991', '1', '', '9e-1']) {
    assert.equal(coverageSchema.safeParse(wrong).success, false, wrong);
  }
});

test('a version is calibrated on test images unless the request says otherwise', () => {
  assert.deepEqual(calibrationRequestSchema.parse({}), { split: 'test' });
  const isValid = (request: object) => calibrationRequestSchema.safeParse(request).success;
  assert.ok(isValid({ dataset: 'x'.repeat(64), split: 'train' }));
  assert.ok(!isValid({ dataset: 'x'.repeat(65) }));
  assert.ok(isValid({ split: 'validation' }));
  assert.ok(!isValid({ split: 'val' }));
  assert.ok(!isValid({ images: 5 }));
});

test('a prediction shows the images of its calibration only', () => {
  const used = { dataset: 'dst_1', split: 'validation', images: 40, reused: true };
  const { shape } = calibrationSchema;
  assert.deepEqual(usedCalibrationSchema.parse({ ...used, temperature: 1.5 }), used);
  const isError = (before: number) => shape.expectedCalibrationError.safeParse({ before, after: 0 }).success;
  assert.deepEqual([-0.1, 0, 1, 1.1].map(isError), [false, true, true, false]);
  assert.ok(shape.loss.safeParse({ before: 3.5, after: 1.5 }).success);
});
